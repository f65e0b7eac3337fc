import { findCssFeatures } from './css-features.js'

/** More than a mail client shows: Gmail cuts at 102 kB. */
const MAX_LENGTH = 1_000_000
const MAX_TAG_LENGTH = 20_000

/** Names of features, as the rows of client-support.ts have them, and how often each was found. */
export type FeatureCounts = Map<string, number>

/** Counts one feature. */
export type FindFeature = (key: string) => void

/** Finds the features of the HTML of an email. Reads it once from start to end, whatever it contains. */
export function findFeatures(html: string): FeatureCounts {
  const counts: FeatureCounts = new Map()
  const find: FindFeature = (key) => counts.set(key, (counts.get(key) ?? 0) + 1)
  const text = html.slice(0, MAX_LENGTH).toLowerCase()
  for (let at = text.indexOf('<'); at >= 0; at = text.indexOf('<', at)) {
    if (text.startsWith('<!--', at)) {
      const end = text.indexOf('-->', at + 4)
      if (end < 0) break
      at = end + 3
      continue
    }
    const [, name] = /^<([a-z][a-z0-9-]*)/.exec(text.slice(at, at + 40)) ?? []
    if (name === undefined) {
      at += 1
      continue
    }
    const end = endOfTag(text, at + 1)
    findInTag(name, text.slice(at + 1 + name.length, Math.min(end, at + MAX_TAG_LENGTH)), find)
    at = end
    if (name !== 'style') continue
    const close = text.indexOf('</style', end)
    const last = close < 0 ? text.length : close
    findCssFeatures(text.slice(end + 1, last), find)
    at = last
  }
  return counts
}

/** The end of a tag, or of the text. */
function endOfTag(text: string, start: number): number {
  let quote = ''
  for (let at = start; at < text.length; at++) {
    const letter = text[at]!
    if (quote !== '') {
      if (letter === quote) quote = ''
    } else if (letter === '>') return at
    else if (letter === '"' || letter === "'") quote = letter
  }
  return text.length
}

const ATTRIBUTE = /([^\s=>"'/]+)(?:\s*=\s*(?:"([^"]*)"|'([^']*)'|([^\s"'>]+)))?/g
const IMAGE_FORMAT = /\.([a-z0-9]{3,4})(?:[?#]|$)/

function findInTag(name: string, attributes: string, find: FindFeature): void {
  find(`tag:${name}`)
  for (const [, attribute = '', double, single, bare] of attributes.matchAll(ATTRIBUTE)) {
    const value = (double ?? single ?? bare ?? '').trim()
    find(`attribute:${attribute}`)
    if (attribute === 'style') findCssFeatures(`{${value}}`, find)
    if (attribute === 'type' && name === 'input') find(`input:${value}`)
    if (attribute === 'name' && name === 'meta') find(`meta:${value}`)
    if (attribute === 'href' && value.startsWith('#')) find('href:#')
    if (attribute === 'href' && value.startsWith('mailto:')) find('href:mailto')
    if (attribute === 'src' && name === 'img')
      find(`image:${value.startsWith('data:') ? 'data' : IMAGE_FORMAT.exec(value.slice(-100))?.[1]}`)
  }
}
