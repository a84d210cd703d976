// Draws one sheet of a layered still with the shop's own viewer (development only; driven by pictures.py).
//
// A sheet holds the pixels of some parts of a piece, cut by what stands in front of them among the sheets below, so
// that sheets laid over one another give the picture of the whole piece. A shading sheet also carries the shadow
// that its parts throw on the sheets below. Glass only adds light, which no sheet of its own could do: its reflections
// are drawn into the sheets behind it.
import { MeshBasicMaterial, NoBlending, ShaderMaterial } from '/static/vendor/three.js';
import { ProductScene } from '/static/js/viewer/scene.js';

const MOTE = 1 / 255;
const SOFT = 0.25; // a floor's shade is soft: a quarter of the width shows it as well
const DARKEST = 10; // a shadow cannot be measured on what is blacker than this

const cutout = new ShaderMaterial({
  blending: NoBlending,
  vertexShader: 'void main() { gl_Position = projectionMatrix * (modelViewMatrix * vec4(position, 1.)); }',
  fragmentShader: 'void main() { gl_FragColor = vec4(0.); }',
});
const shadowOnly = new MeshBasicMaterial({ colorWrite: false, depthWrite: false });

let scene;
let meshes;

/** Open a product on the page's only element. */
export async function open(setup) {
  const host = document.getElementById('stage');
  scene?.dispose();
  scene = await ProductScene.open(host, setup, { calm: true, pixelRatio: 1, capture: true });
  host.append(scene.canvas);
  meshes = [];
  scene.model.root.traverse((node) => node.isMesh && meshes.push({ node, cast: node.castShadow, names: ancestry(node) }));
}

function ancestry(node) {
  const names = new Set();
  for (let at = node; at; at = at.parent) names.add(at.name);
  return names;
}

/** Which sheet a mesh belongs to: the first whose part matches. A part is {under?, materials?, but?}. */
function belongs({ own, names }, { under, materials, but = [] }) {
  return (!under || under.some((name) => names.has(name)))
    && (!materials || materials.includes(own.name))
    && !but.some((name) => names.has(name) || own.name === name);
}

const sheetOf = (mesh, sheets) => sheets.findIndex(({ parts }) => parts.some((part) => belongs(mesh, part)));

function shows(node) {
  for (let at = node; at; at = at.parent) if (!at.visible) return false;
  return true;
}

/** Give every mesh a part in the next frame: "draw", "cut", "cast" or "none". */
function direct(roleOf) {
  const undo = [];
  for (const mesh of meshes) {
    const { node, own, cast } = mesh;
    const role = roleOf(mesh);
    undo.push([node, node.visible]);
    node.castShadow = cast && role !== 'none';
    node.material = role === 'cut' ? cutout : role === 'cast' ? shadowOnly : own;
    if (role === 'none') node.visible = false;
  }
  return () => {
    for (const [node, visible] of undo) node.visible = visible;
    for (const { node, own, cast } of meshes) Object.assign(node, { material: own, castShadow: cast });
  };
}

/** Premultiplied pixels of one frame, top row first. */
function frame(roleOf, { floor }) {
  const undo = direct(roleOf);
  scene.floor.group.visible = floor;
  scene.shadowIsOld = false;
  scene.draw();
  const gl = scene.renderer.getContext();
  const [width, height] = [gl.drawingBufferWidth, gl.drawingBufferHeight];
  const raw = new Uint8Array(width * height * 4);
  gl.readPixels(0, 0, width, height, gl.RGBA, gl.UNSIGNED_BYTE, raw);
  undo();
  scene.floor.group.visible = true;
  const pixels = new Uint8Array(raw.length);
  for (let y = 0; y < height; y++) pixels.set(raw.subarray(y * width * 4, (y + 1) * width * 4), (height - 1 - y) * width * 4);
  return { pixels, width, height };
}

const brightness = (pixels, i) => 0.2126 * pixels[i] + 0.7152 * pixels[i + 1] + 0.0722 * pixels[i + 2];

/** How dark (0…1) the parts of sheet `at` make each pixel of the sheets below. */
function shades(roles, at) {
  const lit = frame((mesh) => (roles(mesh) < at ? 'draw' : 'none'), { floor: false }).pixels;
  const dim = frame((mesh) => (roles(mesh) < at ? 'draw' : roles(mesh) === at ? 'cast' : 'none'), { floor: false }).pixels;
  const shade = new Float32Array(lit.length / 4);
  for (let i = 0; i < shade.length; i++) {
    const before = brightness(lit, i * 4);
    if (lit[i * 4 + 3] === 255 && before > DARKEST) shade[i] = Math.max(0, 1 - brightness(dim, i * 4) / before);
  }
  return shade;
}

/** Straight-alpha picture of premultiplied pixels, lit by what glass before them reflects, over a black shadow. */
function compose({ pixels, width, height }, shade, glass) {
  const image = new ImageData(width, height);
  for (let i = 0; i < pixels.length; i += 4) {
    const covered = pixels[i + 3] / 255;
    const dark = shade ? shade[i / 4] : 0;
    const alpha = covered + (1 - covered) * (dark < 2 * MOTE ? 0 : dark);
    if (alpha < MOTE) continue;
    const colour = [0, 1, 2].map((c) => (pixels[i + c] + (glass ? glass[i + c] * covered : 0)) / alpha);
    image.data.set([...colour, alpha * 255], i);
  }
  return image;
}

async function show(choices) {
  await scene.apply({ ...scene.model.defaults(), ...choices }, '');
  for (const mesh of meshes) mesh.own = mesh.node.material;
}

function canvasOf(image, scale) {
  const canvas = new OffscreenCanvas(image.width, image.height);
  canvas.getContext('2d').putImageData(image, 0, 0);
  if (scale === 1) return canvas;
  const small = new OffscreenCanvas(image.width * scale, image.height * scale);
  const pen = small.getContext('2d');
  pen.imageSmoothingQuality = 'high';
  pen.drawImage(canvas, 0, 0, small.width, small.height);
  return small;
}

async function webp(canvas, quality) {
  const blob = await canvas.convertToBlob({ type: 'image/webp', quality });
  return base64(blob);
}

const base64 = (blob) => new Promise((resolve) => {
  const reader = new FileReader();
  reader.onload = () => resolve(reader.result.split(',')[1]);
  reader.readAsDataURL(blob);
});

/** A sheet as base64 WebP of at most `limit` bytes, or null when nothing of it is to be seen. */
export async function sheet({ view, sheets, at, choices, quality, limit }) {
  await show(choices);
  scene.go(view);
  const { floor = false, shades: isShading = false } = sheets[at];
  scene.floor.draw(scene.model.visibleBox().min.y - 0.002, scene.model.clearMeshes());
  const order = new Map(meshes.map((mesh) => [mesh, shows(mesh.node) ? sheetOf(mesh, sheets) : -1]));
  const stray = meshes.find((mesh) => shows(mesh.node) && order.get(mesh) < 0);
  if (stray) throw new Error(`${stray.node.name} (${stray.own.name}) lies on no sheet`);
  const roles = (mesh) => order.get(mesh);
  const picture = frame((mesh) => {
    const mine = roles(mesh);
    if (floor || mine < 0) return 'none';
    if (mine > at) return sheets[mine].shades ? 'none' : 'cast';
    return mine === at ? 'draw' : 'cut';
  }, { floor });
  const pane = sheets.findIndex(({ glass }) => glass);
  const reflections = pane > at && !floor
    ? frame((mesh) => (roles(mesh) === pane ? 'draw' : roles(mesh) < 0 ? 'none' : 'cut'), { floor: false }).pixels
    : null;
  const image = compose(picture, isShading ? shades(roles, at) : null, reflections);
  if (!image.data.some((value, i) => i % 4 === 3 && value > 2)) return null;
  const canvas = canvasOf(image, floor ? SOFT : 1);
  for (let q = quality; ; q -= 0.06) {
    const data = await webp(canvas, q);
    if (data.length * 0.75 <= limit || q < 0.4) return data;
  }
}

/** The whole piece on a ground as base64 JPEG, for mails and link previews, which cannot stack sheets. */
export async function poster({ view, choices, ground, quality }) {
  await show(choices);
  scene.go(view);
  scene.shadowIsOld = true;
  scene.draw();
  const { width, height } = scene.canvas;
  const canvas = new OffscreenCanvas(width, height);
  const pen = canvas.getContext('2d');
  pen.fillStyle = ground;
  pen.fillRect(0, 0, width, height);
  pen.drawImage(scene.canvas, 0, 0);
  return base64(await canvas.convertToBlob({ type: 'image/jpeg', quality }));
}

/** Compare a stack of pictures with the whole piece: mean and 99.9th percentile difference (0…255), and both as PNG. */
export async function compare({ view, choices, urls, ground }) {
  await show(choices);
  scene.go(view);
  scene.shadowIsOld = true;
  scene.draw();
  const { width, height } = scene.canvas;
  const paint = async (draw) => {
    const canvas = new OffscreenCanvas(width, height);
    const pen = canvas.getContext('2d', { willReadFrequently: true });
    pen.fillStyle = ground;
    pen.fillRect(0, 0, width, height);
    await draw(pen);
    return { canvas, data: pen.getImageData(0, 0, width, height).data };
  };
  const whole = await paint((pen) => pen.drawImage(scene.canvas, 0, 0));
  const stack = await paint(async (pen) => {
    for (const url of urls) pen.drawImage(await createImageBitmap(await (await fetch(url)).blob()), 0, 0, width, height);
  });
  const differences = whole.data.map((value, i) => Math.abs(value - stack.data[i])).filter((_, i) => i % 4 !== 3);
  const sorted = Float32Array.from(differences).sort();
  const mean = differences.reduce((sum, value) => sum + value, 0) / differences.length;
  const pair = new OffscreenCanvas(width * 2, height);
  const pen = pair.getContext('2d');
  pen.drawImage(whole.canvas, 0, 0);
  pen.drawImage(stack.canvas, width, 0);
  return { mean, p999: sorted[Math.floor(sorted.length * 0.999)], picture: await base64(await pair.convertToBlob()) };
}
