"use strict";
// Folds, copies and filters; the page says all it has to say without it.
(() => {
  for (const button of document.querySelectorAll("button.copy")) {
    button.hidden = false;
    button.addEventListener("click", async () => {
      const box = button.parentElement.querySelector("pre, code");
      try {
        await navigator.clipboard.writeText(box.textContent);
      } catch {
        // A page from a file may not use the clipboard: select it instead.
        const range = document.createRange();
        range.selectNodeContents(box);
        getSelection().removeAllRanges();
        getSelection().addRange(range);
        document.execCommand("copy");
      }
      button.textContent = "Copied";
      setTimeout(() => { button.textContent = "Copy"; }, 1500);
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
  unfold();
  const filter = document.getElementById("filter");
  if (filter) {
    filter.closest(".filter").hidden = false;
    filter.addEventListener("input", () => {
      const wanted = filter.value.trim().toLowerCase();
      for (const one of document.querySelectorAll(".observation")) {
        one.hidden = wanted !== "" && !one.textContent.toLowerCase().includes(wanted);
      }
      for (const all of document.querySelectorAll("details.all")) all.open = wanted !== "" || all.open;
    });
  }
  let folded = [];
  addEventListener("beforeprint", () => {
    folded = [...document.querySelectorAll("details:not([open]):not(.observation):not(.all)")];
    for (const one of folded) one.open = true;
  });
  addEventListener("afterprint", () => { for (const one of folded) one.open = false; });
})();
