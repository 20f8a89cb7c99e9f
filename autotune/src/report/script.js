"use strict";
for (const on of ["mouseover", "focusin"]) document.addEventListener(on, (e) => {
  const k = e.target.closest("[data-k]")?.dataset.k;
  for (const x of document.querySelectorAll("[data-k]")) x.classList.toggle("on", x.dataset.k === k);
});
addEventListener("beforeprint", () => { for (const d of document.querySelectorAll("details")) d.open = true; });
