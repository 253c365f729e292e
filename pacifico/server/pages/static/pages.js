// Shows the progress of what still runs. Without this script a page reloads every ten seconds.
"use strict";
const api = document.body.dataset.api;
const tags = new Map();

function show(place, body) {
  const set = (name, text) => {
    const field = place.querySelector(`[data-field="${name}"]`);
    if (field) field.textContent = text;
  };
  set("status", body.status + (body.stalled ? ", stalled" : ""));
  set("stage", body.stage.replaceAll("_", " "));
  set("message", body.error_message || body.shortfall || body.stage_message);
  const bar = place.querySelector('[data-field="progress"]');
  if (bar) bar.value = body.progress_pct;
}

async function follow(place) {
  const id = place.dataset.live;
  for (;;) {
    try {
      const headers = tags.has(id) ? { "If-None-Match": tags.get(id) } : {};
      const reply = await fetch(`${api}/layouts/${id}/status`, { headers, credentials: "same-origin", cache: "no-store" });
      if (reply.status === 404) return;
      if (reply.status === 200) {
        tags.set(id, reply.headers.get("ETag"));
        const body = await reply.json();
        show(place, body);
        if (["completed", "failed", "cancelled"].includes(body.status)) {
          if ("reload" in place.dataset) location.reload();
          return;
        }
      }
    } catch (error) {
      console.warn("the status was not read; trying again", error);
    }
    await new Promise((done) => setTimeout(done, document.hidden ? 10000 : 2000));
  }
}

document.querySelectorAll("[data-live]").forEach((place) => follow(place));
