addEventListener("load", () => {
  const wide = document.documentElement.clientWidth, faults = [], plots = {};
  if (document.documentElement.scrollWidth > wide) faults.push("the page scrolls sideways");
  for (const d of document.querySelectorAll("details")) d.open = true;
  for (const svg of document.querySelectorAll("svg")) {
    const frame = svg.getBoundingClientRect();
    for (const t of svg.querySelectorAll("text")) {
      const b = t.getBoundingClientRect();
      if (b.left < frame.left - 1 || b.right > frame.right + 1 || b.top < frame.top - 1 || b.bottom > frame.bottom + 1)
        faults.push("text outside of its plot: " + t.textContent);
    }
  }
  const numbers = [...document.querySelectorAll("#roofline text")].filter((t) => !t.getAttribute("transform"));
  for (const [i, a] of numbers.entries()) for (const b of numbers.slice(i + 1)) {
    const [p, q] = [a, b].map((t) => t.getBoundingClientRect());
    if (p.left < q.right - 1 && q.left < p.right - 1 && p.top < q.bottom - 2 && q.top < p.bottom - 2)
      faults.push("texts meet: " + a.textContent + " and " + b.textContent);
  }
  for (const x of document.querySelectorAll("body *:not(svg *)")) {
    const b = x.getBoundingClientRect();
    if (b.right > wide + 1 && !x.closest(".scroll, figure:has(> .wide)")) faults.push("beyond the page: " + x.tagName + " " + x.className);
    if (!x.matches(".scroll, .cut, figure, svg, html, body, i") && x.scrollWidth > x.clientWidth + 1 && x.clientWidth > 0
        && getComputedStyle(x).display !== "inline" && !x.closest(".scroll") && !x.querySelector(".scroll"))
      faults.push("text beyond its box: " + x.tagName + " " + x.className + " " + x.textContent.slice(0, 60));
  }
  for (const d of document.querySelectorAll("details")) d.open = false;
  for (const id of ["run-curve", "roofline", "shares"]) {
    const b = document.getElementById(id)?.getBoundingClientRect();
    if (b) plots[id] = [b.left, b.top, b.right, b.bottom].map((v) => Math.round(v + (v === b.left || v === b.right ? scrollX : scrollY)));
  }
  document.body.dataset.found = JSON.stringify({ faults, plots });
});
