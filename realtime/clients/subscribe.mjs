// Print every event of a running Glimpse, and lose none: npm ci, then node subscribe.mjs --help
import { readFileSync } from "node:fs";
import { parseArgs } from "node:util";

const HELP = `node subscribe.mjs [--host 127.0.0.1] [--events-port 5557] [--replay-port 5558] [--keys FOLDER]

Prints every event of the Glimpse that runs there, in order. --keys names a folder of CURVE keys, without which nothing
is reached from another machine.`;

function fail(why) {
  console.error(why);
  process.exit(1);
}

function given() {
  const text = (value) => ({ type: "string", default: value });
  const ports = { "events-port": text("5557"), "replay-port": text("5558") };
  const help = { type: "boolean", short: "h" };
  try {
    return parseArgs({ options: { host: text("127.0.0.1"), ...ports, keys: text(""), help } }).values;
  } catch (error) {
    return fail(`${error.message}\n\n${HELP}`);
  }
}

const options = given();
if (options.help) {
  console.log(HELP);
  process.exit();
}
const needed = (name) => import(name).catch((error) => fail(`${error.message}: run npm ci beside package.json`));
const { decode, encode } = await needed("@msgpack/msgpack");
const { Dealer, Subscriber } = await needed("zeromq");

const key = (file, name) => readFileSync(`${options.keys}/${file}`, "utf8").match(`${name}-key = "(.*)"`)[1];
const curve = options.keys && {
  curveServerKey: key("server.key", "public"),
  curvePublicKey: key("client.key_secret", "public"),
  curveSecretKey: key("client.key_secret", "secret"),
};

function unpack(frame) {
  const message = decode(frame.subarray(frame.indexOf(0) + 1));
  if (message.schema !== 1) {
    fail(`Glimpse sends version ${message.schema}, I read 1: take the subscribe.mjs of that Glimpse`);
  }
  return message;
}

let number = 0;
async function askEvents(since, run = "") {
  const question = { schema: 1, ask: "events", id: ++number, since, run };
  for (;;) {
    try {
      await replay.send(Buffer.concat([Buffer.from("ask\0"), encode(question)]));
      for (;;) {
        const answer = unpack((await replay.receive())[0]);
        if (answer.answer === "refused") fail(answer.why);
        if (answer.id === question.id) return answer; // not that of a question which was given up
      }
    } catch (error) {
      if (error.code !== "EAGAIN") throw error;
      console.error(`waiting for Glimpse at ${options.host}:${options["replay-port"]} ...`);
    }
  }
}

async function* missing(run, since, newest) {
  while (run !== (newest.run ?? "")) { // Glimpse was started again: first what it kept of the runs before
    const answer = await askEvents(since, run);
    yield* answer.events;
    since = answer.events.at(-1)?.seq; // an answer may hold only a part of them
    if (since === undefined) {
      [run, since] = [answer.followed_by || (newest.run ?? ""), 0];
      console.error(`Glimpse was started again: its events are those of run ${run} now`);
    }
  }
  while (since < newest.seq - 1) {
    const found = (await askEvents(since, run)).events.filter((event) => event.seq < newest.seq);
    yield* found;
    since = found.at(-1)?.seq ?? newest.seq; // the rest is no longer kept
  }
}

function show({ seq, camera, face, kind, stage, label, confidence, apex_s }) {
  console.log(`${seq} ${camera} face ${face} ${kind} ${stage} ${label} ${confidence.toFixed(2)} ${apex_s.toFixed(3)} s`);
}

const heard = new Subscriber(curve || {});
const replay = new Dealer({ ...curve, immediate: true, sendTimeout: 2000, receiveTimeout: 2000 });
heard.connect(`tcp://${options.host}:${options["events-port"]}`);
replay.connect(`tcp://${options.host}:${options["replay-port"]}`);
let { last, run = "" } = await askEvents(Number.MAX_SAFE_INTEGER);
heard.subscribe("event/");
console.error(`listening for what follows event ${last}`);
for await (const [frame] of heard) {
  const newest = unpack(frame);
  const since = run || last < newest.seq ? last : 0; // an older Glimpse, which says no run, began anew
  for await (const event of missing(run, since, newest)) show(event);
  show(newest);
  [run, last] = [newest.run ?? "", newest.seq];
}
