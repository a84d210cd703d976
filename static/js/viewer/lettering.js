// Words cut into a piece: a picture of the text for planes that carry the material `Engraving`.
import { CanvasTexture, SRGBColorSpace } from '/static/vendor/three.js';

const FACE = '"Cormorant Garamond", Georgia, serif';
const WIDTH = 1024;
const MARGIN = 22;
const LIT_WALL = 'rgba(255, 255, 255, .5)'; // the lower wall of the cut catches the light

function fitSize(pen, lines, height) {
  const tallest = Math.min(height * 0.8 / lines.length, height * 0.46);
  pen.font = `600 ${tallest}px ${FACE}`;
  const widest = Math.max(...lines.map((line) => pen.measureText(line).width), 1);
  return tallest * Math.min(1, (WIDTH - 2 * MARGIN) / widest);
}

function paint(pen, lines, height, ink) {
  const size = fitSize(pen, lines, height);
  Object.assign(pen, { font: `600 ${size}px ${FACE}`, textAlign: 'center', textBaseline: 'middle' });
  lines.forEach((line, i) => {
    const y = height / 2 + (i - (lines.length - 1) / 2) * size * 1.1;
    pen.fillStyle = LIT_WALL;
    pen.fillText(line, WIDTH / 2, y + size * 0.02);
    pen.fillStyle = ink;
    pen.fillText(line, WIDTH / 2, y);
  });
}

/**
 * A texture with `text` (lines parted by newlines) on a transparent ground.
 * @param {string} text
 * @param {{aspect: number, ink: string}} plane its width over its height, and the colour of the cut
 */
export async function letteringTexture(text, { aspect, ink }) {
  await document.fonts.load(`600 100px ${FACE}`, text);
  const canvas = Object.assign(document.createElement('canvas'), { width: WIDTH, height: Math.round(WIDTH / aspect) });
  paint(canvas.getContext('2d'), text.split('\n'), canvas.height, ink);
  return Object.assign(new CanvasTexture(canvas), { colorSpace: SRGBColorSpace, flipY: false, anisotropy: 8 });
}
