"""A peer that speaks ZeroMQ's wire format by hand (rfc.zeromq.org/spec/37), and so can break its rules."""

import socket
import struct

NULL, CURVE = b"NULL", b"CURVE"


def greeting(mechanism=NULL):
    return b"\xff" + bytes(8) + b"\x7f\x03\x01" + mechanism.ljust(20, b"\0") + bytes(32)


def frame(body, *, more=False, command=False):
    flags = more | 4 * command
    if len(body) < 256:
        return bytes([flags, len(body)]) + body
    return bytes([flags | 2]) + struct.pack(">Q", len(body)) + body


def subscription(topic):
    return frame(b"\1" + topic)


PING = frame(b"\x04PING\0\0", command=True)


def connected(port, kind):
    """A TCP connection that has shaken hands as a socket of this kind, such as b"SUB"."""
    line = socket.create_connection(("127.0.0.1", port), timeout=5.0)
    line.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    line.sendall(greeting())
    heard = b""
    while len(heard) < len(greeting()):
        heard += line.recv(len(greeting()) - len(heard))
    line.sendall(frame(b"\x05READY\x0bSocket-Type" + struct.pack(">I", len(kind)) + kind, command=True))
    assert b"READY" in line.recv(1024)
    return line


def reset(line):
    """Hang up as a process does that is killed with unread bytes: nothing more is delivered."""
    line.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    line.close()


def hung_up_on(line, timeout_s):
    """Whether the other end hangs up within `timeout_s`."""
    line.settimeout(timeout_s)
    try:
        while line.recv(65536):
            pass
    except TimeoutError:
        return False
    except OSError:
        return True
    return True
