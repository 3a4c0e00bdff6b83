"use strict";
(() => {
  const el = (id) => document.getElementById(id);
  const began = performance.now();
  // A tab that holds what was handed over connects to nobody: a policy can only get stricter.
  const mayConnect = location.hash.startsWith("#live");
  if (!mayConnect) {
    const policy = document.createElement("meta");
    policy.httpEquiv = "Content-Security-Policy";
    policy.content = "connect-src 'none'";
    document.head.append(policy);
  }
  const broken = (text) => { el("broken").textContent = text; el("broken").hidden = false; };
  const make = (tag, text, className) => {
    const one = document.createElement(tag);
    if (text !== undefined) one.textContent = text;
    if (className) one.className = className;
    return one;
  };

  // A sentence of the diagnosis: what stands between backticks is code.
  const prose = (box, text) => {
    const parts = text.split("`");
    box.replaceChildren(...(parts.length % 2 ? parts.map((part, at) => (at % 2 ? make("code", part) : part)) : [text]));
  };

  // --- Copying

  const copy = async (button) => {
    const box = el(button.dataset.copy);
    let done = true;
    try {
      await navigator.clipboard.writeText(box.textContent);
    } catch {
      const range = document.createRange();
      range.selectNodeContents(box);
      getSelection().removeAllRanges();
      getSelection().addRange(range);
      done = document.execCommand("copy");
    }
    const label = button.textContent;
    button.textContent = done ? "Copied" : "Selected";
    setTimeout(() => { button.textContent = label; }, 1500);
  };
  document.addEventListener("click", (event) => {
    const button = event.target.closest("button.copy");
    if (button) copy(button);
  });
  let named = 0;
  const command = (text) => {
    const box = make("div", undefined, "cmd");
    const code = make("code", text);
    code.id = "command-" + ++named;
    const button = make("button", "Copy", "copy");
    button.type = "button";
    button.dataset.copy = code.id;
    box.append(code, button);
    return box;
  };

  // --- The address

  // What a person types: a host, host:port, or an address as it is copied.
  const address = (text) => {
    const bare = text.trim();
    if (bare === "") return null;
    const whole = /^[a-z][a-z0-9+.-]*:\/\//i.test(bare) ? bare : "https://" + bare;
    const plain = whole.replace(/^wss:/i, "https:").replace(/^ws:/i, "http:");
    let url;
    try { url = new URL(plain); } catch { return undefined; }
    return /^https?:$/.test(url.protocol) && url.hostname ? url : undefined;
  };
  // The page's own command, with the host filled in, and the version that upgrades need.
  const curl = (url) => {
    const origin = url ? url.origin : "https://YOUR-CONSOLE";
    return "curl -i -N --http1.1 -H \"Connection: Upgrade\" -H \"Upgrade: websocket\" "
      + "-H \"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\" -H \"Sec-WebSocket-Version: 13\" "
      + origin + "/v1/ws";
  };
  const showCommands = () => {
    const url = address(el("target").value);
    el("target-wrong").textContent = url === undefined ? "This is no address: expected a host such as bindplane.corp.example, or what the address bar shows." : "";
    for (const id of ["curl-inside", "curl-outside"]) el(id).textContent = curl(url);
  };

  // --- The live test, in a tab of its own

  const live = () => {
    el("live").hidden = false;
    el("promise").hidden = true;
    document.title = "Live test";
    el("live-target").value = decodeURIComponent(location.hash.slice("#live=".length));
    let socket = null;
    let ticking = 0;
    const seconds = (ms) => (ms < 10000 ? (ms / 1000).toFixed(1) : Math.round(ms / 1000)) + " s";
    const health = async (url) => {
      const from = performance.now();
      try {
        const answer = await fetch(url.origin + "/health", { mode: "no-cors", credentials: "omit", cache: "no-store", referrerPolicy: "no-referrer", signal: AbortSignal.timeout(15000) });
        const took = Math.round(performance.now() - from);
        el("live-health").textContent = "answers, after " + took + " ms" + (answer.type === "opaque" ? " (its status is not shown to a page)" : ", " + answer.status);
        return true;
      } catch (error) {
        el("live-health").textContent = error.name === "TimeoutError" ? "no answer within 15 s" : "fails: refused, blocked, or its certificate is not trusted";
        return false;
      }
    };
    const give = (result) => {
      window.lastLive = result;
      if (window.opener) window.opener.postMessage({ wssLive: result }, "*");
    };
    el("live-start").addEventListener("click", () => {
      const url = address(el("live-target").value);
      const path = el("live-path").value.trim() || "/v1/ws";
      el("live-wrong").textContent = "";
      if (!url) { el("live-wrong").textContent = "This is no address: expected a host such as bindplane.corp.example."; return; }
      const wanted = url.origin.replace(/^http/, "ws") + (path.startsWith("/") ? path : "/" + path);
      const result = { url: wanted, at: new Date().toISOString(), opened_ms: null, watched_ms: null, closed: null, health: null };
      const from = performance.now();
      const since = () => Math.round((performance.now() - from) * 10) / 10;
      const means = (text) => { el("live-means").textContent = text; };
      el("live-socket").textContent = "connecting";
      el("live-held").textContent = "–";
      means("");
      try {
        socket = new WebSocket(wanted);
      } catch (error) {
        el("live-socket").textContent = "this page may not: " + error.message;
        means(location.protocol === "https:" && wanted.startsWith("ws:")
          ? "A page that came by https may not open a ws:// address. Open this page from a file instead."
          : "The browser did not even try.");
        return;
      }
      el("live-start").disabled = true;
      el("live-end").disabled = false;
      const asked = health(url).then((passes) => { result.health = passes; return passes; });
      ticking = setInterval(() => {
        if (result.opened_ms !== null) el("live-held").textContent = seconds(since() - result.opened_ms) + " so far";
      }, 500);
      let mine = false;
      socket.addEventListener("open", () => {
        result.opened_ms = since();
        el("live-socket").textContent = "opened after " + Math.round(result.opened_ms) + " ms" + (socket.protocol ? ", protocol " + socket.protocol : "");
        means("The WebSocket opens from this browser. Leave it open and silent as long as you like: if something cuts it, its time stands here.");
        result.watched_ms = since();
        give(result);
      });
      socket.addEventListener("close", async (event) => {
        clearInterval(ticking);
        const at = since();
        result.watched_ms = at;
        result.closed = { code: event.code, clean: event.wasClean, at_ms: at };
        el("live-start").disabled = false;
        el("live-end").disabled = true;
        const passes = await asked;
        if (result.opened_ms === null) {
          el("live-socket").textContent = "does not open: closed with code " + event.code + " after " + seconds(at);
          means(passes
            ? "Requests pass and the WebSocket does not: something on the way, or the server, refuses the upgrade. Its answer is not shown to a page: run the commands for inside and outside, or give a HAR."
            : "Neither passes from this browser: the name, the network, a proxy, or a certificate that is not trusted. Open " + url.origin + " in a tab: what the browser says there is the reason.");
        } else {
          el("live-held").textContent = seconds(at - result.opened_ms);
          el("live-socket").textContent = (mine ? "opened, and closed here" : "opened, then closed with code " + event.code + (event.wasClean ? "" : " and without a close frame") + " after " + seconds(at - result.opened_ms));
          means(mine ? "It was open until you closed it."
            : event.wasClean ? "The other side closed it in good order: code " + event.code + (event.reason ? ", " + event.reason : "") + "."
            : "It was cut after " + seconds(at - result.opened_ms) + " of silence: something on the way ends idle connections. wss-collector --hold finds the limit.");
          if (mine) result.closed = null;
        }
        give(result);
      });
      el("live-end").onclick = () => { mine = true; socket.close(1000); };
    });
  };

  if (mayConnect) { live(); el("ready").textContent = "Ready."; document.body.dataset.ready = "live"; return; }

  // --- Work in the worker

  el("work").hidden = false;
  let worker, current = 0, waiting = null, ready = false;
  const start = () => {
    ready = false;
    const source = new Blob([el("worker").textContent], { type: "text/javascript" });
    const place = URL.createObjectURL(source);
    try { worker = new Worker(place); } catch (error) { broken("This browser does not let the page work in the background: " + error.message); return; }
    URL.revokeObjectURL(place);
    worker.addEventListener("error", (event) => { event.preventDefault(); broken("This browser cannot run the page: " + (event.message || "no worker")); });
    worker.addEventListener("message", ({ data }) => {
      if (data.ready === true) {
        ready = true;
        el("ready").textContent = "Ready after " + Math.round(performance.now() - began) + " ms.";
        document.body.dataset.ready = "yes";
        if (waiting) judge(waiting.save);
        return;
      }
      if (data.ready === false) { broken("This browser cannot run the page: " + data.error + ". A current Chrome, Edge, Firefox or Safari can."); return; }
      if (data.id !== current) return;
      if ("progress" in data) {
        el("status").textContent = data.what + "…";
        if (data.progress === null) el("progress").removeAttribute("value"); else el("progress").value = data.progress;
        return;
      }
      finished(data);
    });
    worker.postMessage({ wasm: el("wasm").textContent });
  };

  // --- What was handed over

  const items = []; // { name, role, content, told }
  const lives = [];
  const ROLES = [["any", "by its content"], ["bundle", "a bundle"], ["har", "a HAR"], ["curl-inside", "curl, inside"], ["curl-outside", "curl, outside"], ["console", "console message"], ["configuration", "a configuration"]];
  const uuid = () => {
    if (crypto.randomUUID) return crypto.randomUUID();
    const b = crypto.getRandomValues(new Uint8Array(16));
    b[6] = (b[6] & 15) | 64; b[8] = (b[8] & 63) | 128;
    const hex = [...b].map((one) => one.toString(16).padStart(2, "0")).join("");
    return hex.replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, "$1-$2-$3-$4-$5");
  };
  const id = uuid();
  // As the collector makes them up: no 0/O, no 1/I.
  const caseId = (() => {
    const letters = "23456789ABCDEFGHJKLMNPQRSTUVWXYZ";
    const all = [...crypto.getRandomValues(new Uint8Array(8))].map((b) => letters[b % letters.length]).join("");
    return all.slice(0, 4) + "-" + all.slice(4);
  })();
  const pasted = () => [...document.querySelectorAll("textarea[data-role]")]
    .filter((box) => box.value.trim() !== "")
    .map((box) => ({ name: box.id.replace("paste-", "pasted, "), role: box.dataset.role, content: new Blob([box.value]) }));

  const draw = () => {
    const list = el("items");
    list.replaceChildren();
    for (const [at, item] of items.entries()) {
      const row = make("li");
      const told = item.told;
      const name = make("span", item.name, "name");
      const choose = make("select");
      choose.setAttribute("aria-label", "What " + item.name + " is");
      for (const [value, text] of ROLES) {
        const shown = value === "any" && told ? "by its content: " + (ROLES.find(([known]) => known === told.role) || ["", "?"])[1] : text;
        const option = make("option", shown);
        option.value = value;
        option.selected = value === item.role;
        choose.append(option);
      }
      choose.addEventListener("change", () => { item.role = choose.value; changed(); });
      const remove = make("button", "Remove");
      remove.type = "button";
      remove.setAttribute("aria-label", "Remove " + item.name);
      remove.addEventListener("click", () => { items.splice(at, 1); draw(); el("files").focus(); changed(); });
      row.append(name, choose, remove);
      if (told) {
        row.className = told.problem ? "bad" : told.defects.length ? "warn" : "good";
        if (told.problem) row.append(make("p", told.problem, "bad-text"));
        for (const defect of told.defects.slice(0, 20)) row.append(make("p", defect, "warn-text"));
        if (told.defects.length > 20) row.append(make("p", "and " + (told.defects.length - 20) + " more", "warn-text"));
        for (const note of told.notes) row.append(make("p", note, "dim"));
      }
      list.append(row);
    }
    for (const [at, one] of lives.entries()) {
      const row = make("li", undefined, one.opened_ms === null ? "warn" : "good");
      const remove = make("button", "Remove");
      remove.type = "button";
      remove.setAttribute("aria-label", "Remove the live test");
      remove.addEventListener("click", () => { lives.splice(at, 1); draw(); el("files").focus(); changed(); });
      row.append(make("span", "Live test of " + one.url, "name"), make("span", one.opened_ms === null ? "did not open" : "opened"), remove);
      list.append(row);
    }
  };

  const take = (files) => {
    for (const file of files) items.push({ name: file.name, role: "any", content: file, told: null });
    draw();
    changed();
  };

  // --- Judging

  let timer = 0;
  const changed = () => { clearTimeout(timer); timer = setTimeout(() => judge(), 150); };
  const request = (save) => {
    const all = [...items, ...pasted()];
    return {
      request: {
        save, target: el("target").value, identity: el("identity").value, load_balancer: el("lb").value,
        network_path: el("path").value, ticket: el("ticket").value, live: lives, now: new Date().toISOString(),
        id, case: caseId, agent: navigator.userAgent, items: all.map(({ name, role }) => ({ name, role })),
      },
      contents: all.map((one) => one.content),
      shown: all,
    };
  };
  let running = null;
  const judge = (save) => {
    clearTimeout(timer);
    // What comes meanwhile is judged together, when this is done.
    if (!ready || running) { waiting = { save: Boolean(save) || Boolean(waiting && waiting.save) }; return; }
    waiting = null;
    const asked = request(Boolean(save));
    if (asked.contents.length + lives.length === 0) {
      el("status").textContent = "";
      el("working").hidden = true;
      hideResult();
      return;
    }
    current += 1;
    running = { id: current, shown: asked.shown, save: Boolean(save), from: performance.now() };
    el("working").hidden = false;
    el("result").setAttribute("aria-busy", "true");
    worker.postMessage({ id: current, request: asked.request, contents: asked.contents });
  };
  const hideResult = () => { el("result").hidden = true; el("drawn").hidden = true; el("bundle-box").hidden = true; frame(null); checklist([]); delete document.body.dataset.judged; };

  let place = null;
  const frame = (html) => {
    if (place) URL.revokeObjectURL(place);
    place = html === null ? null : URL.createObjectURL(new Blob([html], { type: "text/html" }));
    const old = el("report");
    const next = old.cloneNode();
    next.removeAttribute("src");
    if (place) next.src = place;
    old.replaceWith(next);
  };

  let report = null, zip = null;
  const ITEMS = { "upgrade-test": "Upgrade test, inside and outside", "proxy-or-load-balancer": "Proxy or load balancer, and version", "failed-handshake": "Status and headers of the handshake", "network-path": "Network path" };
  const MARKS = { complete: ["good", "✓ complete"], partial: ["warn", "◐ partly"], missing: ["none", "○ missing"] };
  const checklist = (list) => {
    const box = el("checklist");
    box.replaceChildren();
    for (const [key, title] of Object.entries(ITEMS)) {
      const one = list.find((item) => item.item === key) || { status: "missing", have: [], missing: [] };
      const row = make("li");
      row.dataset.item = key;
      row.dataset.status = one.status;
      const line = make("p", title + " ", "item");
      line.append(make("span", MARKS[one.status][1], "mark " + MARKS[one.status][0]));
      row.append(line);
      for (const text of one.have) row.append(make("p", text, "missing dim"));
      for (const text of one.missing) row.append(make("p", "Missing: " + text, "missing"));
      box.append(row);
    }
  };

  const finished = (data) => {
    const done = running;
    running = null;
    show(data, done);
    if (waiting) judge(waiting.save);
  };
  const show = (data, done) => {
    el("working").hidden = true;
    el("result").removeAttribute("aria-busy");
    if (data.error) {
      el("status").textContent = data.error;
      el("status").className = "status bad-text";
      hideResult();
      document.body.dataset.judged = "failed";
      return;
    }
    el("status").className = "status";
    const { answer } = data;
    el("rules").textContent = ", rules " + answer.rules;
    const took = Math.round(performance.now() - done.from);
    for (const [at, told] of answer.items.entries()) if (done.shown[at]) done.shown[at].told = told;
    draw();
    const pastedWrong = answer.items.map((told, at) => [told, done.shown[at]]).filter(([told, one]) => told.problem && !items.includes(one));
    report = answer.report;
    const words = pastedWrong.map(([told, one]) => one.name + ": " + told.problem);
    if (answer.problem) words.unshift(answer.problem);
    const bad = answer.items.filter((told) => told.problem).length;
    if (!report) {
      el("status").textContent = words.join(" · ") || (bad ? "Nothing of this can be used; why stands beside each." : "Nothing to judge yet.");
      hideResult();
      document.body.dataset.judged = "nothing";
      return;
    }
    const json = JSON.parse(report.json);
    el("status").textContent = ["Judged in " + took + " ms."].concat(bad ? [bad + " of " + answer.items.length + " cannot be used; why stands beside it."] : [], words).join(" ");
    el("result").hidden = false;
    el("drawn").hidden = false;
    const verdict = json.verdict;
    prose(el("said"), verdict.summary);
    el("said").className = "said " + ({ working: "good", broken: "bad" }[verdict.status] || "warn");
    const next = verdict.missing.concat(json.checklist.map((item) => item.how).filter((how) => how !== null));
    el("next").hidden = next.length === 0;
    el("commands").replaceChildren(...[...new Set(next)].slice(0, 6).map(command));
    checklist(json.checklist);
    frame(report.html);
    el("reply").textContent = report.markdown;
    zip = answer.saved ? { ...answer.saved, bytes: data.zip } : null;
    showBundle(done.save);
    if (!el("target").value.trim() && answer.target) el("target").placeholder = answer.target;
    document.body.dataset.judged = verdict.cause;
    document.body.dataset.took = took;
    window.lastReport = report;
  };

  const showBundle = (wanted) => {
    el("bundle-box").hidden = !(wanted && zip);
    if (!wanted || !zip) return;
    el("bundle-entries").replaceChildren(...zip.entries.map(([name, bytes]) => make("li", name + ", " + bytes + " bytes")));
    const removed = zip.removed.map((one) => one.count + " × " + one.kind + ": " + one.entry + ", " + one.place);
    el("bundle-removed").replaceChildren(...(removed.length ? removed : ["nothing had to be"]).map((text) => make("li", text)));
    el("bundle-title").focus();
  };

  const save = (name, parts, type) => {
    const url = URL.createObjectURL(new Blob(parts, { type }));
    const link = make("a");
    link.href = url;
    link.download = name;
    link.click();
    setTimeout(() => URL.revokeObjectURL(url), 60000);
  };

  // --- What a person does

  el("files").addEventListener("change", () => { take(el("files").files); el("files").value = ""; });
  addEventListener("dragover", (event) => { event.preventDefault(); el("drop").classList.add("over"); });
  addEventListener("dragleave", (event) => { if (!event.relatedTarget) el("drop").classList.remove("over"); });
  addEventListener("drop", (event) => {
    event.preventDefault();
    el("drop").classList.remove("over");
    const { files } = event.dataTransfer;
    if (files.length) { take(files); return; }
    const text = event.dataTransfer.getData("text/plain");
    if (text) take([new File([text], "dropped text.txt")]);
  });
  addEventListener("paste", (event) => {
    if (event.target.closest("input, textarea")) return;
    const { files } = event.clipboardData;
    if (files.length) { take(files); return; }
    const text = event.clipboardData.getData("text/plain");
    if (text.trim()) take([new File([text], "pasted text.txt")]);
  });
  for (const one of document.querySelectorAll("#work textarea, #work input[type=text]")) one.addEventListener("input", changed);
  el("target").addEventListener("input", showCommands);
  el("stop").addEventListener("click", () => {
    worker.terminate();
    running = null; waiting = null; current += 1;
    el("working").hidden = true;
    el("status").textContent = "Stopped. Take out what takes so long, or judge it with wss-analyzer.";
    start();
  });
  let tab = null;
  el("live-open").addEventListener("click", () => {
    const url = address(el("target").value);
    tab = window.open(location.href.split("#")[0] + "#live=" + encodeURIComponent(url ? url.origin : ""), "_blank");
  });
  addEventListener("message", (event) => {
    const result = event.source === tab && tab !== null && event.data && event.data.wssLive;
    if (!result || typeof result.url !== "string") return;
    const at = lives.findIndex((one) => one.url === result.url && one.at === result.at);
    if (at < 0) lives.push(result); else lives[at] = result;
    draw();
    changed();
  });
  el("save-html").addEventListener("click", () => save("report.html", [report.html], "text/html"));
  el("save-json").addEventListener("click", () => save("report.json", [report.json], "application/json"));
  el("save-bundle").addEventListener("click", () => judge(true));
  el("bundle-save").addEventListener("click", () => save(zip.name, [zip.bytes], "application/zip"));
  el("bundle-close").addEventListener("click", () => { el("bundle-box").hidden = true; el("save-bundle").focus(); });

  showCommands();
  checklist([]);
  start();
})();
