// Two repairs of the theme.
document.addEventListener("DOMContentLoaded", () => {
  // It hides the contents beside wide material, and fails on a page that has no contents.
  if (!document.querySelector("div.bd-sidebar-secondary")) {
    const standIn = document.createElement("div");
    standIn.className = "bd-sidebar-secondary";
    standIn.style.display = "none";
    document.body.append(standIn);
  }

  // It lets the keyboard reach a block of code that scrolls, but not one that began inside a closed solution.
  const observer = new ResizeObserver((entries) =>
    entries.forEach(({ target }) => {
      target.tabIndex = target.scrollWidth > target.clientWidth ? 0 : -1;
    }),
  );
  document.querySelectorAll(".bd-article pre").forEach((block) => observer.observe(block));
});
