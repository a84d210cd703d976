// Words cut into a piece: a picture of the text for planes that carry the material `Engraving`.
import { CanvasTexture, SRGBColorSpace } from '/static/vendor/three.js';

const FACE = '"Cormorant Garamond", Georgia, serif';
const WIDTH = 1024;
const MARGIN = 22;
const LIT_WALL = 'rgba(255, 255, 255, .5)'; // the lower wall of the cut catches the light

const fontOf = (size, italic) => `${italic ? 'italic ' : ''}600 ${size}px ${FACE}`;

function fitSize(pen, lines, height, italic) {
  const tallest = Math.min(height * 0.8 / lines.length, height * 0.46);
  pen.font = fontOf(tallest, italic);
  const widest = Math.max(...lines.map((line) => pen.measureText(line).width), 1);
  return tallest * Math.min(1, (WIDTH - 2 * MARGIN) / widest);
}

function paint(pen, lines, height, { ink, italic }) {
  const size = fitSize(pen, lines, height, italic);
  Object.assign(pen, { font: fontOf(size, italic), textAlign: 'center', textBaseline: 'middle' });
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
 * @param {{aspect: number, ink: string, italic: boolean}} manner the plane's width over its height, the colour of the
 *   cut, and whether the letters slant
 */
export async function letteringTexture(text, { aspect, ink, italic }) {
  await document.fonts.load(fontOf(100, italic), text);
  const canvas = Object.assign(document.createElement('canvas'), { width: WIDTH, height: Math.round(WIDTH / aspect) });
  paint(canvas.getContext('2d'), text.split('\n'), canvas.height, { ink, italic });
  return Object.assign(new CanvasTexture(canvas), { colorSpace: SRGBColorSpace, flipY: false, anisotropy: 8 });
}
