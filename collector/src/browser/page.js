(tell => {
  const sockets = SOCKETS;
  sockets.forEach(({ url, protocols, talks }, at) => {
    const began = performance.now();
    const say = (what, more) =>
      tell(JSON.stringify({ at, what, ms: performance.now() - began, ...more }));
    let socket;
    try {
      socket = new WebSocket(url, protocols);
    } catch (error) {
      say("refused", { detail: String(error).slice(0, 200) });
      return;
    }
    socket.binaryType = "blob";
    socket.onopen = () => {
      say("open", {});
      // What the console says first; its answer shows that frames pass, compressed
      // where that was granted. The collector's own twin says the same.
      if (talks) {
        const first = '{"type":"connection_init"}';
        socket.send(first);
        say("sent", { opcode: "text", bytes: first.length });
      }
    };
    socket.onerror = () => say("error", {});
    socket.onclose = event => say("close", { code: event.code, clean: event.wasClean });
    socket.onmessage = event => {
      const text = typeof event.data === "string";
      const bytes = text ? new TextEncoder().encode(event.data).length : event.data.size;
      say("received", { opcode: text ? "text" : "binary", bytes });
    };
    (globalThis.wssCollector ??= []).push(socket);
  });
})
