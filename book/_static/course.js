// Two repairs of the theme.
document.addEventListener("DOMContentLoaded", () => {
  // It hides the contents beside wide material, and fails on a page that has no contents.
  if (!document.querySelector("div.bd-sidebar-secondary")) {
    const stand_in = document.createElement("div");
    stand_in.className = "bd-sidebar-secondary";
    stand_in.style.display = "none";
    document.body.append(stand_in);
  }

  // It lets the keyboard reach a block of code that scrolls, but measures one in a closed solution as empty.
  const measure = () =>
    document.querySelectorAll(".dropdown pre, details pre").forEach((block) => {
      block.tabIndex = block.scrollWidth > block.clientWidth ? 0 : -1;
    });
  document.addEventListener("click", () => setTimeout(measure));
  document.addEventListener("toggle", measure, true);
});
