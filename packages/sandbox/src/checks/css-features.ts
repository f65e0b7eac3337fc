import type { FindFeature } from './html-features.js'

/**
 * Finds the features of a style sheet in a time that depends only on its size: no pattern here begins at each letter of
 * a long run. A string that contains a brace or a semicolon is cut there, so a feature may be missed, or found inside
 * the string.
 */
export function findCssFeatures(css: string, find: FindFeature): void {
  const text = withoutComments(css)
  let start = 0
  for (const { 0: sign, index } of text.matchAll(/[{};]/g)) {
    readSegment(text.slice(start, index).trim(), sign === '{', find)
    start = index + 1
  }
  readSegment(text.slice(start).trim(), false, find)
}

function withoutComments(css: string): string {
  let text = ''
  let start = 0
  for (let at = css.indexOf('/*'); at >= 0; at = css.indexOf('/*', start)) {
    text += css.slice(start, at)
    const end = css.indexOf('*/', at + 2)
    if (end < 0) return text
    start = end + 2
  }
  return text + css.slice(start)
}

function readSegment(segment: string, opensBlock: boolean, find: FindFeature): void {
  if (segment === '') return
  if (segment.startsWith('@')) readAtRule(segment, find)
  else if (opensBlock) readSelector(segment, find)
  else readDeclaration(segment, find)
}

function readAtRule(segment: string, find: FindFeature): void {
  const [, name = ''] = /^@([a-z-]+)/.exec(segment) ?? []
  find(`at:${name}`)
  if (name !== 'media') return
  for (const [, condition] of segment.matchAll(/\(\s*([a-z-]+)/g)) find(`media:${condition}`)
}

function readSelector(selector: string, find: FindFeature): void {
  for (const [, pseudo] of selector.matchAll(/::?([a-z-]+)/g)) find(`pseudo:${pseudo}`)
  // Inside brackets, these signs are not combinators: [class~=x], :not(a > b).
  const plain = selector.replace(/\[[^[\]]*\]|\([^()]*\)/g, '')
  if (selector.includes('[')) find('selector:[')
  for (const sign of ['>', '+', '~', '*', '#', '.']) if (plain.includes(sign)) find(`selector:${sign}`)
}

function readDeclaration(declaration: string, find: FindFeature): void {
  const colon = declaration.indexOf(':')
  if (colon < 0) return
  const property = declaration.slice(0, colon).trim()
  const value = declaration.slice(colon + 1).trim()
  find(`property:${property}`)
  // The contents of a URL are not a style.
  const words = value.replace(/\([^()]*\)/g, (all) => (/[:/]/.test(all) ? '()' : all))
  find(`value:${property}:${words.replace('!important', '').trim()}`)
  if (words.includes('!important')) find('important')
  for (const [, name] of words.matchAll(/(?<![a-z-])([a-z-]+)\(/g)) find(`function:${name}`)
  for (const [, unit] of words.matchAll(/\d([a-z]{2,4})\b/g)) find(`unit:${unit}`)
  if (/\d%/.test(words)) find('unit:%')
  for (const [word] of words.matchAll(/[a-z][a-z-]*/g)) find(`word:${word}`)
}
