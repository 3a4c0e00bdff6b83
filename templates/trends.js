"use strict";
// Filters and links; the page says all it has to say without it.
(() => {
  const all = (selector) => [...document.querySelectorAll(selector)];
  const find = (id) => document.getElementById(id);
  for (const button of all("button.copy")) {
    button.hidden = false;
    button.addEventListener("click", async () => {
      const box = button.parentElement.querySelector("code");
      let done = true;
      try {
        await navigator.clipboard.writeText(box.textContent);
      } catch {
        // A page from a file may not use the clipboard: select it, and try the old way.
        const range = document.createRange();
        range.selectNodeContents(box);
        getSelection().removeAllRanges();
        getSelection().addRange(range);
        done = document.execCommand("copy");
      }
      button.textContent = done ? "Copied" : "Selected";
      setTimeout(() => { button.textContent = "Copy"; }, 1500);
    });
  }
  // A link into a fold opens it.
  const unfold = () => {
    const found = location.hash.length > 1 && find(location.hash.slice(1));
    for (let at = found; at; at = at.parentElement) {
      if (at.tagName === "DETAILS") at.open = true;
    }
    if (found) found.scrollIntoView();
  };
  addEventListener("hashchange", unfold);
  document.addEventListener("click", (event) => {
    const link = event.target.closest("a[href^='#']");
    if (link && link.hash === location.hash) unfold();
  });
  unfold();
  let folded = [];
  addEventListener("beforeprint", () => {
    folded = all("details:not([open]):not(.behind)");
    for (const one of folded) one.open = true;
  });
  addEventListener("afterprint", () => { for (const one of folded) one.open = false; });

  const counts = find("counts");
  if (!counts) return;
  // Each cell: bucket, cause, device, vantage, count.
  const cells = counts.textContent.trim().split(/\s+/).map((cell) => cell.split(",").map(Number));
  const seriesOf = counts.dataset.series.split(",").map(Number);
  const form = document.querySelector(".filters");
  const bars = all("#time rect[data-bucket]");
  const figures = all("#time td[data-bucket]");
  const causes = all("#causes td[data-series]");
  const scale = all("#time text.scale");
  const key = (bucket, series) => bucket + "," + series;
  const add = (sums, at, n) => sums.set(at, (sums.get(at) || 0) + n);
  const roundUp = (most) => {
    for (let unit = 1; ; unit *= 10) {
      for (const step of [1, 2, 5]) if (step * unit >= most) return step * unit;
    }
  };
  const write = (cell, n) => { (cell.firstElementChild || cell).textContent = n; };
  // As the drawing was made: its foot, and the room above it.
  const foot = 276, room = 266;
  const chosen = (id) => { const value = find(id).value; return value === "" ? null : Number(value); };
  const draw = () => {
    const [from, to] = [chosen("from"), chosen("to")];
    const [cause, device, vantage] = ["cause", "device", "vantage"].map(chosen);
    const fits = (wanted, is) => wanted === null || wanted === is;
    const [bySeries, byBucket, byCause] = [new Map(), new Map(), new Map()];
    let shown = 0, sum = 0;
    for (const [b, c, d, v, n] of cells) {
      sum += n;
      if (b < from || b > to || !fits(cause, c) || !fits(device, d) || !fits(vantage, v)) continue;
      shown += n;
      add(bySeries, key(b, seriesOf[c]), n);
      add(byBucket, b, n);
      add(byCause, c, n);
    }
    const most = roundUp(Math.max(1, ...byBucket.values()));
    const top = new Map();
    for (const bar of bars) {
      const { bucket, series } = bar.dataset;
      const n = bySeries.get(key(bucket, series)) || 0;
      const tall = n / most * room;
      const y = (top.has(bucket) ? top.get(bucket) : foot) - tall;
      top.set(bucket, y);
      bar.setAttribute("y", y.toFixed(1));
      bar.setAttribute("height", tall.toFixed(1));
      bar.firstElementChild.textContent = bar.firstElementChild.textContent.replace(/\d+$/, n);
    }
    scale.forEach((text, part) => { text.textContent = most === 1 && part === 1 ? "" : Math.floor(most * part / 2); });
    for (const cell of figures) write(cell, bySeries.get(key(cell.dataset.bucket, cell.dataset.series)) || 0);
    for (const cell of causes) write(cell, byCause.get(Number(cell.dataset.series)) || 0);
    const filtered = shown !== sum;
    find("filtered").textContent = filtered ? shown + " of " + sum + " cases" : "";
    for (const note of all(".unfiltered")) note.hidden = !filtered;
  };
  form.hidden = false;
  form.addEventListener("change", draw);
  form.addEventListener("submit", (event) => event.preventDefault());
  form.addEventListener("reset", () => setTimeout(draw, 0));
  // A browser may have kept what was chosen before the page was loaded again.
  draw();
})();
