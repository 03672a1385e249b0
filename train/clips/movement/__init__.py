"""How the faces of clips move: fields, flow, and movements that are known exactly."""
