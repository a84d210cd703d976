// The light a product stands in: a photographic studio drawn at run time, so that no image is loaded.
import {
  BackSide, Color, DirectionalLight, DoubleSide, Mesh, PlaneGeometry, PMREMGenerator, Scene, ShaderMaterial,
  SphereGeometry, Vector3,
} from '/static/vendor/three.js';

const KEY_LAMP = new Vector3(-4, 9, 7);

const DOME_VERTEX = `
  varying vec3 way;
  void main() {
    way = normalize(position);
    gl_Position = projectionMatrix * modelViewMatrix * vec4(position, 1.);
  }`;

const DOME_LIGHT = `
  varying vec3 way;
  void main() {
    float up = normalize(way).y, front = max(normalize(way).z, 0.);
    float glow = mix(.27, .56, smoothstep(-.2, .8, up)) + .24 * front * front;
    // A pale floor bounces light back up, so metal seen from above never turns muddy.
    glow = mix(glow, .36, smoothstep(-.05, -.6, up));
    vec3 tint = mix(vec3(1., .965, .92), vec3(1., .99, .975), smoothstep(-.4, .3, up));
    gl_FragColor = vec4(glow * tint, 1.);
  }`;

const PANEL_VERTEX = `
  varying vec2 vUv;
  void main() {
    vUv = uv;
    gl_Position = projectionMatrix * modelViewMatrix * vec4(position, 1.);
  }`;

const PANEL_LIGHT = `
  varying vec2 vUv;
  uniform vec3 light;
  void main() {
    vec2 edge = smoothstep(vec2(0.), vec2(.14), vUv) * smoothstep(vec2(0.), vec2(.14), 1. - vUv);
    gl_FragColor = vec4(light, edge.x * edge.y);
  }`;

const BLACK_CARD = [0.035, 0.03, 0.027];

// Brightness 0 is a black card: it draws the dark lines that make polished metal look like metal.
const PANELS = [
  { name: 'overhead softbox', size: [16, 10], brightness: 2.6, at: [0, 13, 2], tint: 0xffffff },
  { name: 'left strip', size: [4.6, 15], brightness: 5.4, at: [-12, 3, 5], tint: 0xfff4e6 },
  { name: 'right fill', size: [6, 13], brightness: 2.8, at: [13, 4, 2], tint: 0xf1f6ff },
  { name: 'right rim', size: [2, 10], brightness: 7.5, at: [7.5, 3, -11], tint: 0xffffff },
  { name: 'left rim', size: [3.4, 12], brightness: 4.2, at: [-6, 5, -12], tint: 0xffffff },
  { name: 'front top', size: [9, 3.2], brightness: 2.3, at: [0, 7.5, 12], tint: 0xffffff },
  { name: 'window seen in the crystal', size: [2, 7.5], brightness: 1.45, at: [-7, 4.4, 12], tint: 0xffffff },
  { name: 'left card', size: [2.6, 14], brightness: 0, at: [-10.2, 0, 9.8], tint: 0x000000 },
  { name: 'right card', size: [2.6, 14], brightness: 0, at: [8.2, 0, 11.5], tint: 0x000000 },
  { name: 'low card', size: [14, 1.6], brightness: 0, at: [0, -5.2, 12], tint: 0x000000 },
];

function buildRoom() {
  const room = new Scene();
  room.add(new Mesh(new SphereGeometry(20, 48, 32), new ShaderMaterial({
    side: BackSide, depthWrite: false, vertexShader: DOME_VERTEX, fragmentShader: DOME_LIGHT,
  })));
  for (const { size, brightness, at, tint } of PANELS) {
    const light = brightness ? new Color(tint).multiplyScalar(brightness) : new Color().setRGB(...BLACK_CARD);
    const panel = new Mesh(new PlaneGeometry(...size), new ShaderMaterial({
      side: DoubleSide, transparent: true, depthWrite: false, uniforms: { light: { value: light } },
      vertexShader: PANEL_VERTEX, fragmentShader: PANEL_LIGHT,
    }));
    panel.position.set(...at);
    panel.lookAt(0, 0, 0);
    room.add(panel);
  }
  return room;
}

function buildLamp(strength, reach) {
  const lamp = new DirectionalLight(0xfff4e6, strength);
  lamp.castShadow = true;
  lamp.shadow.mapSize.set(2048, 2048);
  Object.assign(lamp.shadow, { radius: 3, normalBias: 0.012, bias: -0.0004 });
  Object.assign(lamp.shadow.camera, { left: -reach, right: reach, top: reach, bottom: -reach, near: 1, far: 30 });
  return lamp;
}

/**
 * Light `scene`: reflections from the studio, and one lamp for the shadows of hands, markers and straps.
 * @returns {{turn(angle: number): void, dispose(): void}} `turn` turns the studio, as if the piece stood on a
 *   turntable, so that every side is lit well.
 */
export function lightScene(renderer, scene, { key, reach }) {
  const generator = new PMREMGenerator(renderer);
  const room = buildRoom();
  const baked = generator.fromScene(room, 0.006, 0.1, 100);
  generator.dispose();
  room.traverse((part) => {
    part.geometry?.dispose();
    part.material?.dispose();
  });
  const lamp = buildLamp(key, reach);
  const up = new Vector3(0, 1, 0);
  scene.environment = baked.texture;
  scene.add(lamp);
  return {
    turn(angle) {
      scene.environmentRotation.y = angle;
      lamp.position.copy(KEY_LAMP).applyAxisAngle(up, angle);
    },
    dispose() {
      baked.dispose();
      lamp.dispose();
    },
  };
}
