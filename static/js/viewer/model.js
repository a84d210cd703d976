// A product's GLB: loading it, showing a set of choices on it, and cutting words into it.
// Bindings say what each option does: {group: {option: {materials: {Name: {color, …}}, show: [node], hide: [node],
// wear: {node: material}}}}.
import {
  Box3, CustomBlending, GLTFLoader, MeshoptDecoder, OneFactor, Texture, Vector3, ZeroFactor,
} from '/static/vendor/three.js';
import { letteringTexture } from './lettering.js';

const ENGRAVING = 'Engraving';
const SHARP_MAPS = ['map', 'normalMap', 'roughnessMap'];

/** Decode embedded pictures without blob: addresses, which a strict Content-Security-Policy refuses. */
function decodeInPlace(parser) {
  parser.loadImageSource = async (index) => {
    const { bufferView, mimeType } = parser.json.images[index];
    const bytes = await parser.getDependency('bufferView', bufferView);
    const image = await createImageBitmap(new Blob([bytes], { type: mimeType }), {
      premultiplyAlpha: 'none', colorSpaceConversion: 'none',
    });
    return Object.assign(new Texture(image), { needsUpdate: true, userData: { mimeType } });
  };
  return { name: 'decode-in-place' };
}

/** Glass only adds its reflections to what lies behind: blending it by alpha would erase them. */
function makeGlass(material) {
  material.color.set(0x000000);
  Object.assign(material, {
    opacity: 1, transparent: true, depthWrite: false, envMapIntensity: 0.8, roughness: 0.02,
    blending: CustomBlending, blendSrc: OneFactor, blendDst: OneFactor, blendSrcAlpha: ZeroFactor, blendDstAlpha: OneFactor,
  });
}

const optionName = (value) => (typeof value === 'boolean' ? (value ? 'yes' : 'no') : value);

export class ProductModel {
  /** @returns {Promise<ProductModel>} */
  static async load(url, bindings, lettering) {
    const loader = new GLTFLoader().setMeshoptDecoder(MeshoptDecoder).register(decodeInPlace);
    return new ProductModel((await loader.loadAsync(url)).scene, bindings, lettering);
  }

  constructor(root, bindings, lettering) {
    Object.assign(this, { root, bindings, lettering, nodes: new Map(), materials: new Map(), shown: {} });
    root.traverse((node) => {
      this.nodes.set(node.name, node);
      if (node.isMesh) this.prepareMesh(node);
    });
    // Every group shows one option before the first frame, else its variants overlap.
    this.show(this.defaults());
  }

  prepareMesh(mesh) {
    const { material } = mesh;
    const opaque = !material.transparent;
    this.materials.set(material.name, material);
    for (const name of SHARP_MAPS) if (material[name]) material[name].anisotropy = 8; // sharp at a slant
    mesh.castShadow = mesh.receiveShadow = opaque;
    if (material.userData.glass) makeGlass(material);
    if (material.name === ENGRAVING) {
      Object.assign(material, { depthWrite: false, polygonOffset: true, polygonOffsetFactor: -2 });
    }
  }

  /** The first option of every bound group. */
  defaults() {
    return Object.fromEntries(Object.entries(this.bindings).map(([group, options]) => [group, Object.keys(options)[0]]));
  }

  /** Show choices ({group: option}); groups that are not named, or not bound, stay as they are. */
  show(choices) {
    for (const [group, value] of Object.entries(choices)) {
      const { materials = {}, wear = {}, hide = [], show = [] } = this.bindings[group]?.[optionName(value)] ?? {};
      for (const [name, values] of Object.entries(materials)) this.paint(name, values);
      for (const [name, material] of Object.entries(wear)) this.dress(name, material);
      for (const name of hide) this.setVisible(name, false);
      for (const name of show) this.setVisible(name, true);
      this.shown[group] = value;
    }
  }

  dress(name, materialName) {
    const material = this.materials.get(materialName);
    if (material) this.nodes.get(name)?.traverse((part) => part.isMesh && Object.assign(part, { material }));
  }

  setVisible(name, visible) {
    const node = this.nodes.get(name);
    if (node) node.visible = visible;
  }

  paint(name, values) {
    const material = this.materials.get(name);
    if (!material) return;
    for (const [key, value] of Object.entries(values)) {
      if (material[key]?.isColor) material[key].set(value);
      else material[key] = value;
    }
  }

  /** The colour of cut words: fixed, that of a material, or white where the binding colours the plane itself. */
  ink() {
    const { ink, inkOf } = this.lettering;
    const source = inkOf && this.materials.get(inkOf);
    return source ? `#${source.color.getHexString()}` : ink ?? '#ffffff';
  }

  /** Whether the shown choices ask for slanted letters: {group: option} in `lettering.italic`. */
  italic() {
    return Object.entries(this.lettering.italic ?? {}).some(([group, option]) => this.shown[group] === option);
  }

  /** Cut `text` into the piece; an empty one removes it. Resolves when it can be drawn. */
  async engrave(text) {
    const material = this.materials.get(ENGRAVING);
    if (!material || !this.lettering) return;
    const cut = { text, ink: this.ink(), italic: this.italic() };
    if (Object.entries(cut).every(([key, value]) => this.cut?.[key] === value)) return;
    this.cut = cut;
    const texture = text ? await letteringTexture(text, { aspect: this.lettering.aspect, ...cut }) : null;
    if (this.cut !== cut) return void texture?.dispose(); // newer words overtook these
    material.map?.dispose();
    material.map = texture;
    if (this.lettering.ink || this.lettering.inkOf) {
      material.color.set(0xffffff);
      Object.assign(material, { metalness: 0, roughness: 0.6 });
    }
    Object.assign(material, { opacity: text ? 0.94 : 0, needsUpdate: true });
  }

  /** Bounds of what is shown; three's own helper also counts hidden nodes. */
  visibleBox() {
    const box = new Box3();
    this.root.updateWorldMatrix(true, true);
    this.root.traverseVisible((node) => {
      if (node.isMesh) box.union(new Box3().setFromObject(node));
    });
    return box;
  }

  /** Scale what is shown to `size` units, centred on the origin. */
  settle(size) {
    const box = this.visibleBox();
    const scale = size / Math.max(...box.getSize(new Vector3()).toArray());
    this.root.scale.setScalar(scale);
    this.root.position.copy(box.getCenter(new Vector3())).multiplyScalar(-scale);
  }

  /** Meshes that cast no shadow: glass and lettering. */
  clearMeshes() {
    return [...this.nodes.values()].filter((node) => node.isMesh && !node.castShadow);
  }

  dispose() {
    for (const material of this.materials.values()) {
      for (const value of Object.values(material)) if (value?.isTexture) value.dispose();
      material.dispose();
    }
    this.root.traverse((node) => node.geometry?.dispose());
  }
}
