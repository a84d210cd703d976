// Turn one piece of the page into another by the smallest change: what stays the same keeps its focus, its scroll
// position and what is typed into it. Elements are paired by id, else by place.

const isElement = (node) => node.nodeType === Node.ELEMENT_NODE;

const pairs = (old, fresh) => old.nodeType === fresh.nodeType
  && (!isElement(old) || (old.tagName === fresh.tagName && old.id === fresh.id));

function morphAttributes(old, fresh) {
  for (const { name } of [...old.attributes]) {
    if (!fresh.hasAttribute(name) && name !== 'style' && name !== 'data-viewer') old.removeAttribute(name);
  }
  for (const { name, value } of fresh.attributes) {
    if (old.getAttribute(name) !== value) old.setAttribute(name, value);
  }
}

/** What a person is typing is theirs; everything else shows what the server says. */
function morphValue(old, fresh) {
  if (old !== document.activeElement && old.value !== fresh.value) old.value = fresh.value;
}

function morphChildren(old, fresh) {
  let cursor = old.firstChild;
  for (const next of [...fresh.childNodes]) {
    let match = cursor;
    while (match && !pairs(match, next)) match = match.nextSibling;
    if (match && (match === cursor || match.id)) {
      while (cursor !== match) cursor = removed(cursor);
      cursor = cursor.nextSibling;
      morph(match, next);
    } else {
      old.insertBefore(document.importNode(next, true), cursor);
    }
  }
  while (cursor) cursor = removed(cursor);
}

function removed(node) {
  const following = node.nextSibling;
  node.remove();
  return following;
}

/**
 * Make `old` equal to `fresh`.
 * An element marked `data-keep` keeps the children that script gave it; only its `data-stills` part is renewed.
 */
export function morph(old, fresh) {
  if (!isElement(old)) {
    if (old.nodeValue !== fresh.nodeValue) old.nodeValue = fresh.nodeValue;
    return;
  }
  if (old.tagName === 'DETAILS' && old.open) fresh.open = true;
  morphAttributes(old, fresh);
  if (old.tagName === 'INPUT') morphValue(old, fresh);
  if (!old.hasAttribute('data-keep')) {
    morphChildren(old, fresh);
    return;
  }
  const stills = old.querySelector('[data-stills]');
  if (stills) morph(stills, fresh.querySelector('[data-stills]'));
}
