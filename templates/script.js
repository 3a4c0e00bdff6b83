"use strict";
// Folds, copies and filters; the page says all it has to say without it.
(() => {
  const all = (selector) => [...document.querySelectorAll(selector)];
  for (const button of all("button.copy")) {
    button.hidden = false;
    const label = button.textContent;
    button.addEventListener("click", async () => {
      const box = button.dataset.copy
        ? document.getElementById(button.dataset.copy)
        : button.parentElement.querySelector("code");
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
      setTimeout(() => { button.textContent = label; }, 1500);
    });
  }
  // A link into a fold opens it.
  const unfold = () => {
    const found = location.hash.length > 1 && document.getElementById(location.hash.slice(1));
    for (let at = found; at; at = at.parentElement) {
      if (at.tagName === "DETAILS") at.open = true;
    }
    if (found) found.scrollIntoView();
  };
  addEventListener("hashchange", unfold);
  // The same link twice changes no hash.
  document.addEventListener("click", (event) => {
    const link = event.target.closest("a[href^='#']");
    if (link && link.hash === location.hash) unfold();
  });
  unfold();
  document.querySelector(".folds").hidden = false;
  const folds = () => all("details:not(.observation)");
  document.getElementById("unfold").addEventListener("click", () => { for (const one of folds()) one.open = true; });
  document.getElementById("fold").addEventListener("click", () => { for (const one of folds()) one.open = false; });
  const filter = document.getElementById("filter");
  filter.closest(".filter").hidden = false;
  filter.addEventListener("input", () => {
    const wanted = filter.value.trim().toLowerCase();
    let shown = 0;
    for (const one of all(".observation")) {
      one.hidden = wanted !== "" && !one.textContent.toLowerCase().includes(wanted);
      shown += one.hidden ? 0 : 1;
    }
    for (const one of all("details.all")) one.open = wanted !== "" || one.open;
    document.getElementById("filtered").textContent = wanted === "" ? "" : shown + " shown";
  });
  let folded = [];
  addEventListener("beforeprint", () => {
    folded = all("details:not([open]):not(.observation)");
    for (const one of folded) one.open = true;
  });
  addEventListener("afterprint", () => { for (const one of folded) one.open = false; });
})();
