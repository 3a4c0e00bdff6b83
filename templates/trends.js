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

  const whos = find("whos");
  if (!whos) return;
  const form = document.querySelector(".filters");
  const options = (id) => [...find(id).options].map((option) => option.textContent);
  const [causes, devices, periods] = ["cause", "device", "to"].map(options);
  const words = (text) => text.trim().split(/\s+/).filter(Boolean);
  // Each who: cause, device, vantage.
  const people = words([...whos.children].map((one) => one.textContent).join(" ")).map((who) => who.split(",").map(Number));
  // Of each slot: who, period, count, one after another (analyzer/src/trends/counts.rs).
  const slotsOf = (section) => {
    const slots = [];
    for (const piece of section.querySelectorAll(":scope > .counts > i")) {
      const slot = slots[piece.dataset.slot] ||= [];
      for (const word of words(piece.textContent)) {
        const [who, run] = word.split(":");
        const [first, ...counts] = run.split(",");
        counts.forEach((n, at) => { if (n) slot.push(Number(who), Number(first) + at, Number(n)); });
      }
    }
    return slots;
  };
  const numbers = (text) => words(text || "").map(Number);
  const parsed = (element) => {
    const [kind, slots, of] = element.dataset.figure.split("|");
    return kind === "names"
      ? { element, kind, names: slots.split(";").filter(Boolean).map((one) => one.split("=")) }
      : { element, kind, slots: numbers(slots), of: numbers(of), shown: element.textContent };
  };
  const sections = all("section[data-filtered]").map((section) => ({
    anytime: section.dataset.filtered === "who",
    time: section.id === "time",
    slots: slotsOf(section),
    figures: [...section.querySelectorAll("td[data-figure]")].map(parsed),
    rows: [...section.querySelectorAll("tbody tr")].filter((row) => row.querySelector("td[data-figure]")),
    charts: [...section.querySelectorAll("svg[data-kind]")].map((svg) => ({
      kind: svg.dataset.kind,
      from: Number(svg.dataset.from),
      room: Number(svg.dataset.room),
      bars: [...svg.querySelectorAll("rect")].map(parsed),
      parts: [...svg.querySelectorAll("text[data-part]")],
      sums: [...svg.querySelectorAll("text[data-sum]")],
    })),
  }));
  const roundUp = (most) => {
    for (let unit = 1; ; unit *= 10) {
      for (const step of [1, 2, 5]) if (step * unit >= most) return step * unit;
    }
  };
  const largest = (counts) => [...counts].filter(([, n]) => n > 0).sort((a, b) => b[1] - a[1] || (a[0] < b[0] ? -1 : 1));
  const total = (sums, slots) => slots.reduce((sum, slot) => sum + (sums[slot] || 0), 0);
  const chosen = (id) => { const value = find(id).value; return value === "" ? null : Number(value); };
  const draw = () => {
    const [from, to] = [chosen("from"), chosen("to")];
    const [cause, device, vantage] = ["cause", "device", "vantage"].map(chosen);
    const fits = (wanted, is) => wanted === null || wanted === is;
    const left = people.map(([c, d, v]) => fits(cause, c) && fits(device, d) && fits(vantage, v));
    const filtered = from > 0 || to < periods.length - 1 || left.includes(false);
    document.body.classList.toggle("filtering", filtered);
    for (const section of sections) one(section, left, from, to, filtered);
    for (const note of all(".unfiltered")) note.hidden = !filtered;
    carry(left, from, to, filtered);
  };
  // What the filters leave, as conditions of SQL; `of` goes before the columns.
  const conditions = (from, to, of) => {
    const text = (value) => "'" + value.replaceAll("'", "''") + "'";
    const blamed = "COALESCE(" + of + "device, '')";
    const [cause, device, vantage] = ["cause", "device", "vantage"].map((id) => find(id).value && find(id).selectedOptions[0].textContent);
    const other = ["none to blame", "any other"];
    const named = devices.slice(1).filter((name) => !other.includes(name)).map(text);
    return [
      cause && of + "cause = " + text(cause),
      device && blamed + (device === other[0] ? " = ''" : device === other[1]
        ? " NOT IN (" + ["''", ...named].join(", ") + ")" : " = " + text(device)),
      vantage && of + "vantage = " + text(vantage),
      from > 0 && of + "day >= " + text(periods[from]),
      to < periods.length - 1 && of + "day < " + text(periods[to + 1]),
    ].filter(Boolean);
  };
  // The lists and queries behind the numbers carry the filters.
  const carry = (left, from, to, filtered) => {
    for (const list of all(".behind")) {
      const place = list.querySelector(".cmd span"), note = list.querySelector(".carried");
      if (!place) continue;
      const where = conditions(from, to, place.dataset.of).map((one) => " AND " + one).join("");
      // It stands between single quotes of a shell.
      place.textContent = where.replaceAll("'", "'\\''");
      let shown = 0, hidden = 0;
      for (const item of list.querySelectorAll("li")) {
        const period = Number(item.dataset.period);
        item.hidden = !(left[item.dataset.who] && period >= from && period <= to);
        if (item.hidden) hidden++; else shown++;
      }
      note.hidden = !filtered;
      note.textContent = filtered
        ? "Only what the filters leave." + (hidden && !shown ? " None of the newest is among it; the query lists all." : "")
        : "";
    }
  };
  const one = (section, left, from, to, filtered) => {
    const each = (slots, use) => {
      for (const number of slots) {
        const slot = section.slots[number] || [];
        for (let at = 0; at < slot.length; at += 3) {
          const period = slot[at + 1];
          if (left[slot[at]] && (section.anytime || period >= from && period <= to)) use(slot[at], period, slot[at + 2]);
        }
      }
    };
    const sums = section.slots.map((_, number) => {
      let sum = 0;
      each([number], (_who, _period, n) => { sum += n; });
      return sum;
    });
    const counted = (slots, key) => {
      const counts = new Map();
      each(slots, (who, _period, n) => { const name = key(people[who]); counts.set(name, (counts.get(name) || 0) + n); });
      return counts;
    };
    const make = {
      sum: ({ slots }) => total(sums, slots),
      share: ({ slots, of }) => { const whole = total(sums, of); return whole ? (total(sums, slots) / whole * 100).toFixed(1) + " %" : "–"; },
      ratio: ({ slots, of }) => { const whole = total(sums, of); return whole ? (total(sums, slots) / whole).toFixed(2) : "new"; },
      causes: ({ slots }) => largest(counted(slots, ([c]) => causes[c + 1])).slice(0, 3).map(([name, n]) => name + " (" + n + ")").join(", "),
      devices: ({ slots }) => [...counted(slots, ([, d]) => devices[d + 1]).keys()].filter((name) => name !== "none to blame").sort().slice(0, 5).join(", "),
      names: ({ names }) => largest(names.map(([slot, name]) => [name, sums[slot] || 0])).map(([name]) => name).join(", "),
      seen: ({ slots }) => {
        const seen = new Set();
        each(slots, (_who, period) => seen.add(periods[period].slice(0, 7)));
        const months = [...seen].sort();
        return months.length > 1 ? months[0] + " to " + months.at(-1) : months.join("");
      },
      none: ({ shown }) => filtered ? "–" : shown,
    };
    for (const figure of section.figures) {
      const cell = figure.element, text = String(make[figure.kind](figure));
      if (cell.textContent !== text) (cell.firstElementChild || cell).textContent = text;
    }
    // What nothing is left of is not shown.
    for (const row of section.rows) {
      const own = [...row.querySelectorAll("td[data-figure^='sum|']")];
      row.hidden = filtered && !section.time && own.every((cell) => cell.textContent === "0");
    }
    for (const chart of section.charts) redraw(chart, sums);
    if (section.time) {
      const shown = total(sums, [...sums.keys()]);
      const sum = section.slots.reduce((sum, slot) => sum + slot.reduce((n, value, at) => at % 3 === 2 ? n + value : n, 0), 0);
      find("filtered").textContent = filtered ? shown + " of " + sum + " cases" : "";
    }
  };
  const redraw = (chart, sums) => {
    const groups = new Map();
    for (const bar of chart.bars) {
      const { group } = bar.element.dataset;
      bar.n = total(sums, bar.slots);
      groups.set(group, (groups.get(group) || 0) + bar.n);
    }
    const highest = Math.max(1, ...groups.values());
    const lying = chart.kind === "lying";
    const most = lying ? highest : roundUp(highest);
    const ends = new Map();
    for (const { element, n } of chart.bars) {
      const { group } = element.dataset;
      // One beside a thousand must still be seen where bars stand alone.
      const alone = chart.bars.length === groups.size;
      const long = n && alone ? Math.max(1.5, n / most * chart.room) : n / most * chart.room;
      const at = ends.has(group) ? ends.get(group) : chart.from;
      ends.set(group, lying ? at + long : at - long);
      element.setAttribute(lying ? "x" : "y", (lying ? at : at - long).toFixed(1));
      element.setAttribute(lying ? "width" : "height", long.toFixed(1));
      element.firstElementChild.textContent = element.firstElementChild.textContent.replace(/\d+$/, n);
    }
    for (const text of chart.parts) {
      const value = most * Number(text.dataset.part);
      text.textContent = Number.isInteger(value) ? value : "";
    }
    for (const text of chart.sums) {
      const end = ends.get(text.dataset.sum) ?? chart.from;
      text.setAttribute("x", (end + 6).toFixed(1));
      text.textContent = groups.get(text.dataset.sum) || 0;
    }
  };
  form.hidden = false;
  form.addEventListener("change", draw);
  form.addEventListener("submit", (event) => event.preventDefault());
  form.addEventListener("reset", () => setTimeout(draw, 0));
  // A browser may have kept what was chosen before the page was loaded again.
  draw();
})();
