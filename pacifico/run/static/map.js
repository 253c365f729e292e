"use strict";
(function () {
  const data = JSON.parse(document.getElementById("data").textContent);
  const legend = data.legend;
  const features = data.layout.features || [];
  const canvas = features.length > 4000;
  const map = L.map("map", { preferCanvas: canvas, zoomSnap: 0.25, attributionControl: true, scrollWheelZoom: false });
  map.attributionControl.setPrefix("Leaflet 1.9.4");
  // The wheel scrolls the page until the reader has touched the map.
  map.on("click focus", () => map.scrollWheelZoom.enable());
  map.on("mouseout", () => map.scrollWheelZoom.disable());

  const control = L.control.layers(null, null, { collapsed: window.innerWidth < 700 });
  const groups = new Map();

  // Names come from files: they are only ever set as text, never as markup.
  function entry(name, style, count) {
    const label = document.createElement("span");
    const swatch = document.createElement("i");
    swatch.className = "swatch " + (style.shape || "area");
    swatch.style.setProperty("--fill", style.fill || "transparent");
    swatch.style.setProperty("--edge", style.edge || style.fill);
    label.append(swatch, document.createTextNode(count > 1 ? `${name} (${count})` : name));
    return label.innerHTML;
  }
  function group(key, name, style) {
    if (!groups.has(key)) groups.set(key, { layer: L.layerGroup(), name, style, count: 0, shown: true });
    return groups.get(key);
  }
  function number(value) {
    if (typeof value !== "number") return String(value);
    const digits = Math.abs(value) >= 100 ? 0 : Math.abs(value) >= 1 ? 1 : 3;
    return value.toLocaleString("en", { maximumFractionDigits: digits }).replace(/,/g, "\u202f");
  }
  const units = { m: "m", m2: "m²", m3: "m³", kw: "kW", kwh: "kWh", kva: "kVA", kv: "kV", deg: "°", pct: "%" };
  function row(name) {
    const parts = name.split("_");
    const unit = units[parts[parts.length - 1]];
    if (unit) parts.pop();
    return [parts.join(" "), unit || ""];
  }
  function popup(title, properties, hidden) {
    const box = document.createElement("div");
    const head = document.createElement("strong");
    head.textContent = title;
    const table = document.createElement("table");
    for (const [key, value] of Object.entries(properties)) {
      if (hidden.includes(key) || value === null || value === "" || (Array.isArray(value) && !value.length)) continue;
      if (value === 0 && /^(capacity|storage|rating)/.test(key)) continue;
      const [name, unit] = row(key);
      const line = table.insertRow();
      line.insertCell().textContent = name;
      const shown = Array.isArray(value) ? value.join(", ") : number(value) + (unit === "°" ? "°" : unit ? " " + unit : "");
      line.insertCell().textContent = shown;
    }
    box.append(head, table);
    return box;
  }
  function shape(feature, style) {
    return L.geoJSON(feature, { style, interactive: style.interactive !== false });
  }
  const kinds = {
    boundary: (p) => [group("boundary", "Site boundary", { shape: "line", edge: legend.boundary }),
      { color: legend.boundary, weight: 2.5, fill: false, interactive: false }, p.name || "Site boundary"],
    buildable: () => [group("buildable", "Buildable ground", { fill: legend.buildable, edge: legend.buildable }),
      { color: legend.buildable, weight: 0.5, fillColor: legend.buildable, fillOpacity: 0.35, interactive: false }, "Buildable ground"],
    exclusion: (p) => [group("exclusion", "Exclusion", { fill: legend.exclusion, edge: legend.exclusion }),
      { color: legend.exclusion, weight: 1.2, dashArray: "4 3", fillColor: legend.exclusion, fillOpacity: 0.25 }, p.name || "Exclusion"],
    pad: (p) => [group("pad", "Pad", { fill: legend.pad, edge: legend.pad }),
      { color: legend.pad, weight: 1, fillColor: legend.pad, fillOpacity: 0.55 }, "Pad " + (p.pad_id || "")],
    road: (p) => {
      const known = legend.roads[p.road_class] || ["Road", 3];
      return [group("road:" + p.road_class, known[0], { shape: "road", fill: legend.road, edge: legend.road_edge }),
        { color: legend.road, weight: known[1], opacity: 1, casing: { color: legend.road_edge, weight: known[1] + 2.2, opacity: 0.9 } },
        known[0] + " " + (p.road_id || "")];
    },
    cable: (p) => [group("cable", "Cable", { shape: "line", edge: legend.cable }),
      { color: legend.cable, weight: 1.5, dashArray: "6 4" }, "Cable " + (p.cable_id || "")],
    crossing: (p) => [group("crossing", "Crossing", { shape: "line", edge: legend.crossing }),
      { color: legend.crossing, weight: 6 }, "Crossing " + (p.crossing_id || "") + ", " + (p.crossing_type || "")],
    fence: (p) => [group("fence", "Fence", { shape: "line", edge: legend.fence }),
      { color: legend.fence, weight: 1.5, dashArray: "8 3 2 3", fill: false }, "Fence, " + (p.length_m || 0) + " m, " + (p.gates || 0) + " gates"],
    asset: (p) => {
      const known = legend.assets[p.asset_type] || [String(p.asset_type), legend.other_asset[1]];
      return [group("asset:" + p.asset_type, known[0], { fill: known[1], edge: known[1] }),
        { color: "#1a1a1a", weight: 0.6, fillColor: known[1], fillOpacity: 0.85 }, p.name || known[0]];
    },
    entry: (p) => [group("entry", "Entry", { shape: "dot", fill: legend.entry, edge: "#fff" }), null, p.name || "Entry"],
  };
  const order = ["buildable", "exclusion", "pad", "road", "cable", "crossing", "fence", "asset", "boundary", "entry"];
  const all = L.featureGroup();
  const find = document.getElementById("find");
  const found = [];
  const counted = new Set(["exclusion", "pad", "asset", "cable", "crossing"]);

  for (const overlay of data.overlays) {
    const image = L.imageOverlay(overlay.image, overlay.bounds, { opacity: overlay.opacity || 1 });
    const shown = overlay.shown !== false;
    groups.set("overlay:" + overlay.name, { layer: image, name: overlay.name, style: { shape: "image", fill: "#999" }, count: 0, shown });
  }
  for (const kind of order) {
    for (const feature of features) {
      const properties = feature.properties || {};
      if (properties.kind !== kind) continue;
      const [target, style, title] = kinds[kind](properties);
      const hidden = ["kind", "name", "asset_type", "road_class"];
      if (kind === "entry") {
        const [x, y] = feature.geometry.coordinates;
        const dot = L.circleMarker([y, x], { radius: 7, color: "#fff", weight: 2, fillColor: legend.entry, fillOpacity: 1 });
        dot.bindPopup(() => popup(title, properties, hidden)).addTo(target.layer);
        all.addLayer(L.circleMarker([y, x]));
        continue;
      }
      if (style.casing) shape(feature, { ...style.casing, interactive: false }).addTo(target.layer);
      const drawn = shape(feature, style);
      if (style.interactive !== false) drawn.bindPopup(() => popup(title, properties, hidden), { maxHeight: 300, autoPanPaddingTopLeft: [110, 10], autoPanPaddingBottomRight: [20, 30] });
      drawn.addTo(target.layer);
      if (counted.has(kind)) target.count += 1;
      if (kind === "asset") {
        // the list reaches every asset by keyboard
        find.add(new Option(title, String(found.length)));
        found.push(drawn);
      }
      all.addLayer(drawn);
    }
  }
  for (const { layer, name, style, count, shown } of groups.values()) {
    if (shown) layer.addTo(map);
    control.addOverlay(layer, entry(name, style, count));
  }
  control.addTo(map);
  L.control.scale({ maxWidth: 160 }).addTo(map);
  const north = L.control({ position: "topleft" });
  north.onAdd = () => {
    const box = L.DomUtil.create("div", "north");
    box.textContent = "N";
    return box;
  };
  north.addTo(map);
  const bounds = all.getBounds();
  // the open legend stands beside the site, not on it
  const box = control.getContainer();
  const open = box.classList.contains("leaflet-control-layers-expanded") ? box.offsetWidth + 12 : 0;
  const room = { paddingTopLeft: [18, 18], paddingBottomRight: [18 + (open < 0.5 * map.getSize().x ? open : 0), 18] };
  if (bounds.isValid()) map.fitBounds(bounds, room);
  else map.setView([0, 0], 2);
  find.addEventListener("change", () => {
    const drawn = found[Number(find.value)];
    if (find.value === "" || !drawn) return;
    if (!map.hasLayer(drawn)) drawn.addTo(map);
    map.fitBounds(drawn.getBounds(), { maxZoom: 18, padding: [120, 120] });
    drawn.openPopup();
  });

  // A click on a row of the land table lights its ground.
  const lit = new Map();
  const ground = new Map(data.land.map((feature) => [feature.properties.key, feature]));
  for (const line of document.querySelectorAll("tr[data-land]")) {
    const feature = ground.get(line.dataset.land);
    const name = line.querySelector(".name");
    if (!feature || !name) continue;
    const button = document.createElement("button");
    button.type = "button";
    button.textContent = name.textContent;
    button.title = "Show on the map";
    button.setAttribute("aria-pressed", "false");
    name.replaceWith(button);
    button.addEventListener("click", () => {
      const key = line.dataset.land;
      const on = !lit.has(key);
      if (on) {
        const style = { color: "#ffd400", weight: 1.5, fillColor: feature.properties.colour, fillOpacity: 0.75, interactive: false };
        lit.set(key, L.geoJSON(feature, { style, interactive: false }).addTo(map));
        document.getElementById("map").scrollIntoView({ block: "center", behavior: "smooth" });
      } else {
        lit.get(key).remove();
        lit.delete(key);
      }
      line.classList.toggle("lit", on);
      button.setAttribute("aria-pressed", String(on));
    });
  }
  const home = L.control({ position: "topleft" });
  home.onAdd = () => {
    const button = L.DomUtil.create("button", "home");
    button.type = "button";
    button.textContent = "Whole site";
    L.DomEvent.disableClickPropagation(button);
    button.addEventListener("click", () => map.fitBounds(bounds, room));
    return button;
  };
  if (bounds.isValid()) home.addTo(map);
})();
