// The product viewer that pages use: still pictures first, live 3D on the first sign of intent, stills again when
// 3D cannot be had.
//
// The stage element holds the stills in an element marked `data-stills`. Its state stands in
// `stage.dataset.viewer`: "stills", "loading", "live". The canvas is laid over the stills and cross-fades; both use
// one camera, so that nothing jumps.

const INTENT = ['pointerenter', 'pointerdown', 'touchstart', 'focusin'];
const FADE_MS = 500;

const prefersCalm = () => matchMedia('(prefers-reduced-motion: reduce)').matches;
const prefersLight = () => prefersCalm() || navigator.connection?.saveData === true;
const canDraw = () => Boolean(document.createElement('canvas').getContext('webgl2'));

class Viewer {
  constructor(stage, { choices = {}, texts = {}, view, ...setup }) {
    const currentView = setup.views.find(({ id }) => id === view) ?? setup.views[0];
    Object.assign(this, { stage, setup, choices, texts, currentView });
    this.left = new AbortController();
    this.setState('stills');
    for (const name of INTENT) this.listen(stage, name, () => prefersLight() || this.start());
    this.listen(stage, 'keydown', (event) => event.key === 'f' && event.target === this.live?.canvas && this.fullScreen());
    this.listen(window, 'pagehide', (event) => event.persisted || this.dispose());
  }

  listen(target, name, handler) {
    target.addEventListener(name, handler, { signal: this.left.signal, passive: true });
  }

  setState(state) {
    this.stage.dataset.viewer = state;
    this.stage.dispatchEvent(new CustomEvent('viewer:state', { bubbles: true, detail: { state } }));
  }

  /** Begin live 3D, once. Resolves true when it is on, false when the stills stay. */
  start() {
    this.starting ??= this.open().catch((error) => this.fallBack(error));
    return this.starting;
  }

  async open() {
    if (this.left.signal.aborted || !canDraw()) return false;
    this.setState('loading');
    const { ProductScene } = await import('./viewer/scene.js');
    const live = await ProductScene.open(this.stage, this.setup, { calm: prefersCalm() });
    if (this.left.signal.aborted) {
      live.dispose();
      return false;
    }
    this.live = live;
    await this.draw();
    if (this.currentView !== this.setup.views[0]) live.go(this.currentView);
    live.draw();
    this.reveal(live.canvas);
    return true;
  }

  reveal(canvas) {
    Object.assign(canvas, { tabIndex: 0, role: 'img', className: 'viewer-canvas' });
    canvas.ariaLabel = this.stage.dataset.label ?? this.stage.getAttribute('aria-label') ?? '';
    canvas.setAttribute('aria-keyshortcuts', 'ArrowLeft ArrowRight ArrowUp ArrowDown F');
    const still = prefersCalm();
    const transition = still ? 'none' : `opacity ${FADE_MS}ms`;
    Object.assign(canvas.style, { position: 'absolute', inset: '0', opacity: '0', transition });
    this.stage.append(canvas);
    this.listen(canvas, 'webglcontextlost', () => this.live && this.fallBack(new Error('graphics context lost')));
    canvas.getBoundingClientRect(); // lays the transparent canvas out, so that its fade runs
    canvas.style.opacity = '1';
    this.fadeStills(transition, '0');
    this.setState('live');
  }

  fadeStills(transition, opacity) {
    const stills = this.stage.querySelector('[data-stills]');
    if (stills) Object.assign(stills.style, { transition, opacity });
  }

  fallBack(error) {
    this.free();
    this.fadeStills('none', '');
    this.setState('stills');
    this.stage.dispatchEvent(new CustomEvent('viewer:failed', { bubbles: true, detail: { error } }));
    return false;
  }

  draw() {
    const words = Object.values(this.texts).filter(Boolean).join('\n');
    return this.live?.apply({ ...this.live.model.defaults(), ...this.choices, ...this.currentView.choices }, words);
  }

  apply(choices, texts = this.texts) {
    Object.assign(this, { choices, texts });
    if (!this.live && !prefersLight()) this.start();
    return this.draw();
  }

  async view(name) {
    const next = this.setup.views.find(({ id }) => id === name);
    if (!next) return false;
    this.currentView = next;
    if (!await this.start() || !this.live) return false;
    if (this.currentView !== next) return true; // another view was asked for meanwhile
    this.draw();
    this.live.go(next);
    return true;
  }

  async fullScreen() {
    if (document.fullscreenElement) await document.exitFullscreen();
    else await this.stage.requestFullscreen?.();
  }

  free() {
    const { live } = this;
    this.live = null;
    live?.dispose();
  }

  dispose() {
    this.left.abort();
    this.free();
    this.fadeStills('none', '');
  }
}

/**
 * Watch over a product's stage.
 * @param {HTMLElement} stage positioned; its `data-label` names the live view for screen readers
 * @param {object} options
 * @param {string} options.model address of the GLB
 * @param {object} options.bindings what each option does to the model
 * @param {{id: string, theta: number, phi: number, dist: number, target: number[], choices?: object}[]} options.views
 *   camera positions, the stills' own first; a view may lay choices over the design (an opened lid)
 * @param {object} [options.choices] {group: option}, defaults included
 * @param {object} [options.texts] {group: words to cut}
 * @param {string} [options.view] the view that the stills show, when it is not the first
 * @param {object} [options.lettering] the engraved planes {aspect, ink | inkOf}
 * @param {object} [options.studio] camera and light {fov, aspect, exposure, key, shadow}
 * @returns {{apply(choices: object, texts?: object): Promise<void>, view(name: string): Promise<boolean>,
 *   start(): Promise<boolean>, fullScreen(): Promise<void>, dispose(): void}} `start` and
 *   `view` answer false when the stills stay
 */
export function createViewer(stage, options) {
  const viewer = new Viewer(stage, options);
  return {
    apply: (choices, texts) => viewer.apply(choices, texts),
    view: (name) => viewer.view(name),
    start: () => viewer.start(),
    fullScreen: () => viewer.fullScreen(),
    dispose: () => viewer.dispose(),
  };
}
