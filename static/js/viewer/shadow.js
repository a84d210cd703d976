// The shadow under a product: its depth seen from the floor, blurred.
import {
  Color, DoubleSide, Group, Mesh, NoBlending, OrthographicCamera, PlaneGeometry, ShaderMaterial, Vector2,
  WebGLRenderTarget,
} from '/static/vendor/three.js';

const FLOOR_SIZE = 11;
const PIXELS = 512;

// A tight dark core where the piece touches the floor, and a wide soft shade round it: one alone makes it float.
const LAYERS = [
  { range: 0.55, falloff: 1.4, opacity: 0.7, strides: [0.004, 0.002] },
  { range: 3.4, falloff: 2, opacity: 0.42, strides: [0.016, 0.008, 0.004] },
];

const DEPTH_VERTEX = `
  varying float depth;
  void main() {
    vec4 p = modelViewMatrix * vec4(position, 1.);
    depth = -p.z;
    gl_Position = projectionMatrix * p;
  }`;

const depthFragment = (range, falloff) => `
  varying float depth;
  void main() {
    float near = 1. - clamp(depth / ${range.toFixed(2)}, 0., 1.);
    gl_FragColor = vec4(0., 0., 0., pow(near, ${falloff.toFixed(2)}));
  }`;

const PASS_UV = `
  varying vec2 vUv;
  void main() {
    vUv = uv;
    gl_Position = projectionMatrix * modelViewMatrix * vec4(position, 1.);
  }`;

const BLUR_FRAGMENT = `
  varying vec2 vUv;
  uniform sampler2D source;
  uniform vec2 stride;
  void main() {
    float sum = 0., weights = 0.;
    for (int i = -8; i <= 8; i++) {
      float weight = exp(-float(i * i) / 24.);
      sum += weight * texture2D(source, vUv + stride * float(i)).a;
      weights += weight;
    }
    gl_FragColor = vec4(0., 0., 0., sum / weights);
  }`;

// The shade fades out before the floor ends, or its edge would show.
const FLOOR_FRAGMENT = `
  varying vec2 vUv;
  uniform sampler2D shade;
  uniform vec3 tint;
  uniform float opacity;
  void main() {
    float inside = 1. - smoothstep(.6, 1., length(vUv * 2. - 1.));
    gl_FragColor = vec4(tint, texture2D(shade, vUv).a * opacity * inside);
    #include <colorspace_fragment>
  }`;

function buildLayer({ range, falloff, opacity, strides }, strength) {
  const target = new WebGLRenderTarget(PIXELS, PIXELS);
  const spare = new WebGLRenderTarget(PIXELS, PIXELS);
  const half = FLOOR_SIZE / 2;
  const eye = new OrthographicCamera(-half, half, half, -half, 0, range);
  eye.rotation.x = Math.PI / 2; // looks up from the floor
  const depth = new ShaderMaterial({
    side: DoubleSide, vertexShader: DEPTH_VERTEX, fragmentShader: depthFragment(range, falloff),
  });
  const plane = new Mesh(new PlaneGeometry(FLOOR_SIZE, FLOOR_SIZE), new ShaderMaterial({
    transparent: true, depthWrite: false, toneMapped: false, vertexShader: PASS_UV, fragmentShader: FLOOR_FRAGMENT,
    uniforms: {
      shade: { value: target.texture }, tint: { value: new Color(0x1c130b) }, opacity: { value: opacity * strength },
    },
  }));
  plane.rotation.x = -Math.PI / 2;
  plane.scale.y = -1;
  plane.renderOrder = -1;
  return { target, spare, eye, depth, plane, strides };
}

export class ContactShadow {
  constructor(renderer, scene, strength) {
    Object.assign(this, { renderer, scene, group: new Group() });
    this.flatEye = new OrthographicCamera(-1, 1, 1, -1, -1, 1);
    this.blur = new Mesh(new PlaneGeometry(2, 2), new ShaderMaterial({
      depthTest: false, depthWrite: false, blending: NoBlending, vertexShader: PASS_UV,
      fragmentShader: BLUR_FRAGMENT, uniforms: { source: { value: null }, stride: { value: new Vector2() } },
    }));
    this.layers = LAYERS.map((layer) => buildLayer(layer, strength));
    for (const { plane, eye } of this.layers) this.group.add(plane, eye);
    scene.add(this.group);
  }

  /** Redraw at floor height `y`; the nodes in `clear` cast nothing. */
  draw(y, clear) {
    const hidden = [...clear.filter((node) => node.visible), ...this.group.children];
    const { environment } = this.scene;
    this.group.position.y = y;
    this.group.updateWorldMatrix(true, true);
    for (const node of hidden) node.visible = false;
    this.scene.environment = null;
    this.renderer.shadowMap.autoUpdate = false;
    for (const layer of this.layers) this.drawLayer(layer);
    this.renderer.setRenderTarget(null);
    this.renderer.shadowMap.autoUpdate = true;
    this.scene.environment = environment;
    for (const node of hidden) node.visible = true;
  }

  drawLayer({ target, spare, eye, depth, strides }) {
    this.scene.overrideMaterial = depth;
    this.drawTo(target, this.scene, eye);
    this.scene.overrideMaterial = null;
    const { source, stride } = this.blur.material.uniforms;
    for (const step of strides) {
      for (const [from, to, x, z] of [[target, spare, step, 0], [spare, target, 0, step]]) {
        source.value = from.texture;
        stride.value.set(x, z);
        this.drawTo(to, this.blur, this.flatEye);
      }
    }
  }

  drawTo(target, what, eye) {
    this.renderer.setRenderTarget(target);
    this.renderer.setClearAlpha(0);
    this.renderer.clear();
    this.renderer.render(what, eye);
  }

  dispose() {
    this.blur.geometry.dispose();
    this.blur.material.dispose();
    for (const { target, spare, depth, plane } of this.layers) {
      for (const thing of [target, spare, depth, plane.geometry, plane.material]) thing.dispose();
    }
  }
}
