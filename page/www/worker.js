"use strict";
// One job at a time. The instance stays, since what rules prepare once is half the time of a
// case; after a large file, whose memory would never be given back, and after an error the next
// job has a fresh one.
let made, instance = null;
const CHUNK = 4 << 20;
const LARGE = 256 << 20;
const WARMING = "curl -i -N --http1.1 https://console.example/v1/ws\nHTTP/1.1 400 Bad Request\nServer: nginx\nSec-WebSocket-Version: 13\n\n";

const inflate = async (text) => {
  const raw = atob(text.trim());
  const packed = new Uint8Array(raw.length);
  for (let at = 0; at < raw.length; at++) packed[at] = raw.charCodeAt(at);
  const stream = new Blob([packed]).stream().pipeThrough(new DecompressionStream("gzip"));
  return new Response(stream).arrayBuffer();
};

// zip has randomness by wasm-bindgen, for what is encrypted with a password; nothing here is, and
// nobody calls these.
const imports = (module) => {
  const all = {};
  for (const { module: from, name } of WebAssembly.Module.imports(module)) {
    (all[from] ??= {})[name] = () => { throw new Error(name + " is not to be had in a page"); };
  }
  return all;
};

const tell = (id, done, what) => postMessage({ id, progress: done, what });

const work = async (id, request, contents) => {
  const module = await made;
  instance ??= await WebAssembly.instantiate(module, imports(module));
  const { exports } = instance;
  const put = (size, name) => {
    const at = exports.reserve(size) >>> 0;
    if (at === 0) throw new Error(name + ": too large for the memory that this browser gives a page");
    return at;
  };
  const total = contents.reduce((sum, one) => sum + one.size, 0) || 1;
  let done = 0;
  for (const [number, content] of contents.entries()) {
    const name = request.items[number].name;
    const start = put(content.size, name);
    for (let at = 0; at < content.size; at += CHUNK) {
      const part = content.slice(at, Math.min(at + CHUNK, content.size));
      let bytes;
      try {
        bytes = new Uint8Array(await part.arrayBuffer());
      } catch (error) {
        throw new Error(name + ": it cannot be read (" + error.name + "); is it still there?");
      }
      // Memory may have grown: what was looked at before is detached.
      new Uint8Array(exports.memory.buffer, start + at, bytes.length).set(bytes);
      done += bytes.length;
      tell(id, done / total, "Reading " + name);
    }
  }
  const asked = new TextEncoder().encode(JSON.stringify(request));
  const start = put(asked.length, "the request");
  new Uint8Array(exports.memory.buffer, start, asked.length).set(asked);
  tell(id, null, "Judging");
  try {
    exports.run();
  } catch (error) {
    const used = exports.memory.buffer.byteLength;
    throw new Error(used > 3 * 2 ** 30 || error instanceof RangeError
      ? "the memory that this browser gives a page is used up; hand over less at once, or use wss-analyzer"
      : "the program broke off (" + error.message + "); take out what was added last, and tell support");
  }
  const read = (which) => {
    const bytes = new Uint8Array(exports.memory.buffer, exports.output(which) >>> 0, exports.output_len(which));
    return bytes.slice();
  };
  if (exports.memory.buffer.byteLength > LARGE) instance = null;
  return { answer: JSON.parse(new TextDecoder().decode(read(0))), zip: read(1) };
};

let last = Promise.resolve();
onmessage = ({ data }) => { last = last.then(() => take(data)); };
const take = async (data) => {
  if (data.wasm !== undefined) {
    made = inflate(data.wasm).then((bytes) => WebAssembly.compile(bytes));
    await made.then(async () => {
      postMessage({ ready: true });
      await work(-1, { items: [{ name: "", role: "curl-inside" }], now: new Date(0).toISOString() }, [new Blob([WARMING])]);
    }).catch((error) => postMessage({ ready: false, error: String(error) }));
    return;
  }
  const { id, request, contents } = data;
  try {
    const done = await work(id, request, contents);
    postMessage({ id, ...done }, [done.zip.buffer]);
  } catch (error) {
    instance = null;
    postMessage({ id, error: error.message });
  }
};
