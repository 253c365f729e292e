"use strict";
// 3D view of the plan on its terrain: plain WebGL, made when it is opened. Without WebGL the map stays.
(function () {
  const data = JSON.parse(document.getElementById("data").textContent);
  const relief = data.relief;
  const button = document.getElementById("relief-open");
  if (!relief || !button) return;
  const map = document.getElementById("map");
  const box = document.getElementById("relief");
  const canvas = box.querySelector("canvas");
  const height = box.querySelector("select");
  let view = null;

  button.addEventListener("click", () => {
    const open = box.hidden;
    if (open && !view) {
      try {
        view = make();
      } catch (error) {
        button.disabled = true;
        button.textContent = "This browser shows no 3D view";
        return;
      }
    }
    box.hidden = !open;
    map.hidden = open;
    button.textContent = open ? "Map" : "3D view";
    button.setAttribute("aria-pressed", String(open));
    if (open) view.draw();
    else window.dispatchEvent(new Event("resize")); // the map measures itself again
  });

  // The plan as a picture on the ground, in metres east and south of the first height.
  function painted() {
    const [wide, tall] = relief.size_m;
    const scale = 2048 / Math.max(wide, tall);
    const picture = document.createElement("canvas");
    picture.width = Math.max(Math.round(wide * scale), 2);
    picture.height = Math.max(Math.round(tall * scale), 2);
    const pen = picture.getContext("2d");
    pen.fillStyle = "#e4e5da";
    pen.fillRect(0, 0, picture.width, picture.height);
    pen.lineJoin = pen.lineCap = "round";
    const [[x0, y0], [x1, y1], [x2, y2]] = relief.corners;
    const determinant = (x1 - x0) * (y2 - y0) - (x2 - x0) * (y1 - y0);
    const at = ([x, y]) => [
      ((x - x0) * (y2 - y0) - (x2 - x0) * (y - y0)) / determinant * picture.width,
      ((x1 - x0) * (y - y0) - (x - x0) * (y1 - y0)) / determinant * picture.height,
    ];
    const legend = data.legend;
    const metres = (value) => Math.max(value * scale, 2.5);
    const styles = {
      buildable: () => ({ fill: legend.buildable, alpha: 0.3 }),
      exclusion: () => ({ fill: legend.exclusion, alpha: 0.3, line: legend.exclusion, width: 2.5 }),
      pad: () => ({ fill: legend.pad, alpha: 0.8 }),
      fence: () => ({ line: legend.fence, width: 2 }),
      cable: () => ({ line: legend.cable, width: 2 }),
      road: (p) => ({ line: legend.road, width: metres(p.width_m || 5), casing: legend.road_edge }),
      crossing: () => ({ line: legend.crossing, width: metres(8) }),
      asset: (p) => ({ fill: (legend.assets[p.asset_type] || legend.other_asset)[1], alpha: 1, line: "#1a1a1a", width: 1 }),
      boundary: () => ({ line: legend.boundary, width: 4 }),
      entry: () => ({ dot: legend.entry }),
    };
    const shapes = {
      Point: (c) => [[c]], LineString: (c) => [c], MultiLineString: (c) => c, Polygon: (c) => c, MultiPolygon: (c) => c.flat(),
    };
    for (const [kind, style] of Object.entries(styles)) {
      for (const { geometry, properties } of data.layout.features || []) {
        if (!geometry || !shapes[geometry.type] || (properties || {}).kind !== kind) continue;
        const { fill, alpha, line, width, casing, dot } = style(properties);
        pen.beginPath();
        for (const ring of shapes[geometry.type](geometry.coordinates)) {
          ring.forEach((place, k) => {
            const [x, y] = at(place);
            if (dot) pen.arc(x, y, 12, 0, 7);
            else if (k) pen.lineTo(x, y);
            else pen.moveTo(x, y);
          });
        }
        pen.globalAlpha = alpha || 1;
        if (fill || dot) {
          pen.fillStyle = fill || dot;
          pen.fill("evenodd");
        }
        pen.globalAlpha = 1;
        if (casing) {
          pen.strokeStyle = casing;
          pen.lineWidth = width + 4;
          pen.stroke();
        }
        if (line) {
          pen.strokeStyle = line;
          pen.lineWidth = width;
          pen.stroke();
        }
      }
    }
    return picture;
  }

  function mesh() {
    const { columns, rows, low_m: low, high_m: high } = relief;
    const bytes = Uint8Array.from(atob(relief.heights), (c) => c.charCodeAt(0));
    const steps = new Uint16Array(bytes.buffer);
    const [wide, tall] = relief.size_m;
    const dx = wide / (columns - 1), dy = tall / (rows - 1), middle = (low + high) / 2;
    const z = Float32Array.from(steps, (s) => (s === 65535 ? 0 : low + (s / 65534) * (high - low) - middle));
    const points = new Float32Array(7 * columns * rows); // east, north, up, slope east, slope north, across, down
    const index = [];
    for (let r = 0, k = 0; r < rows; r++) {
      for (let c = 0; c < columns; c++, k++) {
        const east = z[c + 1 < columns ? k + 1 : k] - z[c ? k - 1 : k];
        const north = z[r ? k - columns : k] - z[r + 1 < rows ? k + columns : k];
        points.set([c * dx - wide / 2, tall / 2 - r * dy, z[k], east / (2 * dx), north / (2 * dy), c / (columns - 1), r / (rows - 1)], 7 * k);
        const corners = [k, k + 1, k + columns, k + columns + 1];
        if (c + 1 < columns && r + 1 < rows && corners.every((i) => steps[i] !== 65535)) index.push(k, k + columns, k + 1, k + 1, k + columns, k + columns + 1);
      }
    }
    return [points, new Uint16Array(index)];
  }

  function make() {
    const wanted = { antialias: true, preserveDrawingBuffer: true };
    const newer = canvas.getContext("webgl2", wanted);
    const gl = newer || canvas.getContext("webgl", wanted);
    if (!gl) throw new Error("no WebGL");
    const program = gl.createProgram();
    const sources = [
      [gl.VERTEX_SHADER, `attribute vec3 place; attribute vec2 slope; attribute vec2 at;
        uniform mat4 camera; uniform float times; varying vec2 spot; varying float light;
        void main() {
          spot = at;
          vec3 up = normalize(vec3(-slope * times, 1.0));
          light = 0.5 + 0.6 * max(dot(up, normalize(vec3(-0.6, 0.6, 0.75))), 0.0);
          gl_Position = camera * vec4(place.xy, place.z * times, 1.0);
        }`],
      [gl.FRAGMENT_SHADER, `precision mediump float; uniform sampler2D plan; varying vec2 spot; varying float light;
        void main() { gl_FragColor = vec4(texture2D(plan, spot).rgb * light, 1.0); }`],
    ];
    for (const [kind, source] of sources) {
      const shader = gl.createShader(kind);
      gl.shaderSource(shader, source);
      gl.compileShader(shader);
      gl.attachShader(program, shader);
    }
    gl.linkProgram(program);
    if (!gl.getProgramParameter(program, gl.LINK_STATUS)) throw new Error("no shader");
    gl.useProgram(program);
    const [points, index] = mesh();
    gl.bindBuffer(gl.ARRAY_BUFFER, gl.createBuffer());
    gl.bufferData(gl.ARRAY_BUFFER, points, gl.STATIC_DRAW);
    gl.bindBuffer(gl.ELEMENT_ARRAY_BUFFER, gl.createBuffer());
    gl.bufferData(gl.ELEMENT_ARRAY_BUFFER, index, gl.STATIC_DRAW);
    for (const [name, size, start] of [["place", 3, 0], ["slope", 2, 12], ["at", 2, 20]]) {
      const location = gl.getAttribLocation(program, name);
      gl.enableVertexAttribArray(location);
      gl.vertexAttribPointer(location, size, gl.FLOAT, false, 28, start);
    }
    gl.bindTexture(gl.TEXTURE_2D, gl.createTexture());
    gl.texImage2D(gl.TEXTURE_2D, 0, gl.RGB, gl.RGB, gl.UNSIGNED_BYTE, painted());
    for (const [name, value] of [["WRAP_S", "CLAMP_TO_EDGE"], ["WRAP_T", "CLAMP_TO_EDGE"], ["MIN_FILTER", newer ? "LINEAR_MIPMAP_LINEAR" : "LINEAR"], ["MAG_FILTER", "LINEAR"]]) {
      gl.texParameteri(gl.TEXTURE_2D, gl["TEXTURE_" + name], gl[value]);
    }
    if (newer) gl.generateMipmap(gl.TEXTURE_2D); // the older one does it for square pictures only
    gl.enable(gl.DEPTH_TEST);
    gl.clearColor(0.93, 0.95, 0.96, 1);

    const reach = Math.hypot(...relief.size_m);
    const eye = { turn: -0.5, tilt: 0.75, far: 0.95 * reach };
    const camera = gl.getUniformLocation(program, "camera"), times = gl.getUniformLocation(program, "times");
    function draw() {
      const ratio = Math.min(window.devicePixelRatio || 1, 2);
      canvas.width = Math.max(Math.round(canvas.clientWidth * ratio), 1);
      canvas.height = Math.max(Math.round(canvas.clientHeight * ratio), 1);
      gl.viewport(0, 0, canvas.width, canvas.height);
      gl.clear(gl.COLOR_BUFFER_BIT | gl.DEPTH_BUFFER_BIT);
      gl.uniform1f(times, Number(height.value));
      gl.uniformMatrix4fv(camera, false, seen(canvas.width / canvas.height));
      gl.drawElements(gl.TRIANGLES, index.length, gl.UNSIGNED_SHORT, 0);
    }
    // perspective times the turn about the middle of the ground, column by column
    function seen(aspect) {
      const near = eye.far / 50, far = eye.far + 2 * reach, f = 1.9;
      const s = Math.sin(eye.turn), c = Math.cos(eye.turn), u = Math.sin(eye.tilt), v = Math.cos(eye.tilt);
      const narrow = Math.min(aspect, 1.2) / 1.2, away = eye.far / narrow;
      const a = (near + far + away) / (near - far - away), b = (2 * near * (far + away)) / (near - far - away);
      // rows of the turned axes: right, up, towards the eye
      const x = [c, s, 0], y = [-s * u, c * u, v], z = [s * v, -c * v, u];
      const out = [];
      for (let k = 0; k < 3; k++) out.push((f / aspect) * x[k], f * y[k], a * z[k], -z[k]);
      out.push(0, 0, -a * away + b, away);
      return new Float32Array(out);
    }
    function change(turn, tilt, zoom) {
      eye.turn += turn;
      eye.tilt = Math.min(Math.max(eye.tilt + tilt, 0.1), 1.55);
      eye.far = Math.min(Math.max(eye.far * zoom, reach / 12), 3 * reach);
      draw();
    }
    const held = new Map();
    const gap = () => { const [p, q] = [...held.values()]; return Math.hypot(p[0] - q[0], p[1] - q[1]); };
    canvas.addEventListener("pointerdown", (event) => {
      canvas.setPointerCapture(event.pointerId);
      held.set(event.pointerId, [event.clientX, event.clientY]);
    });
    canvas.addEventListener("pointermove", (event) => {
      const before = held.get(event.pointerId);
      if (!before) return;
      const apart = held.size === 2 ? gap() : 0;
      held.set(event.pointerId, [event.clientX, event.clientY]);
      if (apart) change(0, 0, apart / Math.max(gap(), 1));
      else change((before[0] - event.clientX) / 200, (event.clientY - before[1]) / 200, 1);
    });
    for (const end of ["pointerup", "pointercancel"]) canvas.addEventListener(end, (event) => held.delete(event.pointerId));
    canvas.addEventListener("wheel", (event) => {
      event.preventDefault();
      change(0, 0, Math.exp(Math.sign(event.deltaY) * 0.12));
    }, { passive: false });
    const keys = { ArrowLeft: [0.1, 0, 1], ArrowRight: [-0.1, 0, 1], ArrowUp: [0, 0.1, 1], ArrowDown: [0, -0.1, 1], "+": [0, 0, 0.85], "-": [0, 0, 1.18] };
    canvas.addEventListener("keydown", (event) => {
      if (!keys[event.key]) return;
      event.preventDefault();
      change(...keys[event.key]);
    });
    height.addEventListener("change", draw);
    window.addEventListener("resize", () => { if (!box.hidden) draw(); });
    return { draw };
  }
})();
