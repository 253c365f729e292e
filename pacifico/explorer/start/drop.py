"""Drop files on the page: a script hands them to the upload buttons, which take none by themselves."""

from __future__ import annotations

ZONE, SITE, ELEVATION = "pacifico-drop", "pacifico-drop-site", "pacifico-drop-elevation"
"""CSS classes of the form on which files are dropped, and of its two upload buttons."""
STYLES = (
    f"<style>.{ZONE} {{border: 2px dashed #9aa5ad; border-radius: 8px}}"
    f".{ZONE}.over {{border-color: #1976d2; background: #eef5fc}}</style>"
)
"""Frame of the form, and its look while a file is above it."""
SCRIPT = f"""(() => {{
  if (window.pacificoDrop) return;
  window.pacificoDrop = true;
  const zoneOf = event => event.target.closest?.(".{ZONE}");
  // the input of an upload button is not in the page: it is caught as the button opens it
  const hand = (button, files) => {{
    const click = HTMLInputElement.prototype.click;
    HTMLInputElement.prototype.click = function () {{
      this.files = files;
      this.dispatchEvent(new Event("change"));
    }};
    try {{ button.click(); }} finally {{ HTMLInputElement.prototype.click = click; }}
  }};
  document.addEventListener("dragover", event => {{
    const zone = zoneOf(event);
    if (zone) {{ event.preventDefault(); zone.classList.add("over"); }}
  }});
  document.addEventListener("dragleave", event => zoneOf(event)?.classList.remove("over"));
  document.addEventListener("drop", event => {{
    const zone = zoneOf(event);
    if (!zone) return;
    event.preventDefault();
    zone.classList.remove("over");
    for (const file of event.dataTransfer.files) {{
      const one = new DataTransfer();
      one.items.add(file);
      const name = /\\.tiff?$/i.test(file.name) ? "{ELEVATION}" : "{SITE}";
      const button = zone.querySelector("button." + name);
      if (button) hand(button, one.files);
    }}
  }});
}})();"""
"""Script of the page."""
