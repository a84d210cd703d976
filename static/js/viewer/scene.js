// The live 3D view of one product: camera, turning, drawing on demand.
import {
  MathUtils, NeutralToneMapping, OrbitControls, PCFShadowMap, PerspectiveCamera, Scene, Spherical, WebGLRenderer,
} from '/static/vendor/three.js';
import { ProductModel } from './model.js';
import { ContactShadow } from './shadow.js';
import { lightScene } from './studio.js';

const MODEL_SIZE = 6; // every product is scaled to this many scene units
const POLAR_LIMITS = [0.35, 1.75];
const GLIDE_MS = 700;
const TURN = 0.15; // radians per key press

const KEYS = { ArrowLeft: [-TURN, 0], ArrowRight: [TURN, 0], ArrowUp: [0, -TURN], ArrowDown: [0, TURN] };

export class ProductScene {
  /**
   * @param {HTMLElement} host filled by the canvas
   * @param {object} setup model (URL), bindings, views, lettering and studio {fov, aspect, exposure, key, shadow}:
   *   the same camera and light that drew the stills
   * @param {{calm: boolean, pixelRatio?: number, capture?: boolean}} manner calm: nothing glides
   */
  static async open(host, setup, manner) {
    const model = await ProductModel.load(setup.model, setup.bindings, setup.lettering);
    return new ProductScene(host, model, setup, manner);
  }

  constructor(host, model, { views, studio = {} }, { calm, pixelRatio = devicePixelRatio, capture = false }) {
    Object.assign(this, { host, model, views, studio, calm, home: views[0], scene: new Scene() });
    this.createRenderer(Math.min(pixelRatio, 2), capture);
    this.light = lightScene(this.renderer, this.scene, { key: studio.key ?? 1.2, reach: MODEL_SIZE * 0.75 });
    this.floor = new ContactShadow(this.renderer, this.scene, studio.shadow ?? 1);
    model.settle(MODEL_SIZE);
    this.scene.add(model.root);
    this.createCamera();
    this.shadowIsOld = true;
    this.sizes = new ResizeObserver(() => this.resize());
    this.sizes.observe(host);
    this.resize();
  }

  createRenderer(pixelRatio, capture) {
    const renderer = new WebGLRenderer({ antialias: true, alpha: true, preserveDrawingBuffer: capture });
    renderer.setPixelRatio(pixelRatio);
    renderer.toneMapping = NeutralToneMapping; // keeps product colours true
    renderer.toneMappingExposure = this.studio.exposure ?? 1;
    renderer.shadowMap.enabled = true;
    renderer.shadowMap.type = PCFShadowMap;
    this.renderer = renderer;
    this.canvas = renderer.domElement;
  }

  createCamera() {
    const { dist } = this.home;
    this.camera = new PerspectiveCamera(this.studio.fov ?? 24, 1, 0.1, 200);
    this.controls = new OrbitControls(this.camera, this.canvas);
    const [minPolarAngle, maxPolarAngle] = POLAR_LIMITS;
    Object.assign(this.controls, {
      enableDamping: !this.calm, enablePan: false, minPolarAngle, maxPolarAngle,
      minDistance: dist * 0.3, maxDistance: dist * 1.3,
    });
    this.canvas.style.touchAction = 'pan-y'; // a finger moving up or down scrolls the page, not the piece
    this.controls.addEventListener('change', () => this.invalidate());
    this.canvas.addEventListener('keydown', (event) => this.onKey(event));
    this.place(this.home, new Spherical(dist, this.home.phi, this.home.theta));
  }

  onKey(event) {
    const turn = KEYS[event.key];
    if (!turn || event.altKey || event.ctrlKey || event.metaKey) return;
    event.preventDefault();
    const at = this.currentPlace();
    at.theta += turn[0];
    at.phi = MathUtils.clamp(at.phi + turn[1], ...POLAR_LIMITS);
    this.place({}, at);
  }

  /** Show choices and cut words; resolves when both can be drawn. */
  async apply(choices, text) {
    this.model.show(choices);
    this.shadowIsOld = true;
    this.invalidate();
    await this.model.engrave(text);
    this.invalidate();
  }

  place({ target }, spherical) {
    if (target) this.controls.target.set(...target);
    this.camera.position.setFromSpherical(spherical).add(this.controls.target);
    this.controls.update();
    this.invalidate();
  }

  currentPlace() {
    return new Spherical().setFromVector3(this.camera.position.clone().sub(this.controls.target));
  }

  /** Go to a view {theta, phi, dist, target}; glides unless calm. */
  go(view) {
    const from = this.currentPlace();
    const start = performance.now();
    const sideways = Math.atan2(Math.sin(view.theta - from.theta), Math.cos(view.theta - from.theta)); // the short way
    cancelAnimationFrame(this.glide);
    const step = (now) => {
      const part = this.calm ? 1 : MathUtils.clamp((now - start) / GLIDE_MS, 0, 1);
      const eased = 1 - (1 - part) ** 3;
      const { lerp } = MathUtils;
      this.place(view, new Spherical(
        lerp(from.radius, view.dist, eased), lerp(from.phi, view.phi, eased), from.theta + sideways * eased,
      ));
      if (part < 1) this.glide = requestAnimationFrame(step);
    };
    step(start);
  }

  resize() {
    const { clientWidth: width, clientHeight: height } = this.host;
    if (!width || !height) return;
    const { aspect: base = 1, fov = 24 } = this.studio;
    this.renderer.setSize(width, height);
    this.camera.aspect = width / height;
    // Narrow windows widen the lens, as `object-fit: contain` does with the stills: the product keeps its sides.
    const narrow = Math.tan(MathUtils.degToRad(fov / 2)) * base / this.camera.aspect;
    this.camera.fov = this.camera.aspect < base ? MathUtils.radToDeg(2 * Math.atan(narrow)) : fov;
    this.camera.updateProjectionMatrix();
    this.draw(); // at once: a resized canvas is blank until it is drawn
  }

  /** Draw one frame soon; nothing runs while the picture is still. */
  invalidate() {
    this.frame ||= requestAnimationFrame(() => this.draw());
  }

  draw() {
    cancelAnimationFrame(this.frame);
    this.frame = 0;
    if (this.shadowIsOld) {
      this.floor.draw(this.model.visibleBox().min.y - 0.002, this.model.clearMeshes());
      this.shadowIsOld = false;
    }
    this.controls.update(); // while it is still gliding this asks for the next frame
    this.light.turn(this.currentPlace().theta - this.home.theta);
    this.renderer.render(this.scene, this.camera);
  }

  /** Give back everything that the graphics card holds. */
  dispose() {
    cancelAnimationFrame(this.frame);
    cancelAnimationFrame(this.glide);
    this.sizes.disconnect();
    this.controls.dispose();
    for (const thing of [this.model, this.floor, this.light, this.renderer]) thing.dispose();
    this.renderer.forceContextLoss();
    this.canvas.remove();
  }
}
