// Makes packages/sandbox/src/checks/client-support.ts of the data of the npm package caniemail:
//
//   npm pack caniemail@1.0.5 && tar xzf caniemail-1.0.5.tgz
//   node scripts/mail-client-support.js package/data/caniemail.json
//
// Only the data is taken: as a dependency the package would bring a formatter with it.
import { readFileSync, writeFileSync } from 'node:fs'

const { nicenames, last_update_date, data } = JSON.parse(readFileSync(process.argv[2], 'utf8'))
/** Of a client with fewer rows too little is known. */
const FEWEST_ROWS = 250

const rowsOf = new Map()
for (const { stats } of data)
  for (const [family, platforms] of Object.entries(stats))
    for (const platform of Object.keys(platforms)) {
      const client = `${family}.${platform}`
      rowsOf.set(client, (rowsOf.get(client) ?? 0) + 1)
    }
const clients = [...rowsOf].filter(([, rows]) => rows >= FEWEST_ROWS).map(([client]) => client)

const nameOf = (client) => {
  if (client === 'outlook.outlook-com') return 'Outlook.com'
  const [family, platform] = client.split('.')
  return `${nicenames.family[family]} ${nicenames.platform[platform].replace('Desktop Webmail', 'webmail').replace('Mobile Webmail', 'mobile webmail')}`
}

/** The letter of the newest version that was tested: yes, no, almost, unknown. */
const letterOf = (versions) => {
  if (versions === undefined) return 'u'
  const parts = (version) => version.split(/[.-]/).map(Number)
  const newest = Object.keys(versions).sort((a, b) => {
    const [left, right] = [parts(a), parts(b)]
    const at = left.findIndex((part, index) => part !== (right[index] ?? 0))
    return at < 0 ? left.length - right.length : left[at] - (right[at] ?? 0)
  })
  return versions[newest.at(-1)][0]
}

const SEMANTIC = 'article aside details figcaption figure footer header main mark nav section summary time'
/** What the title says for people only. */
const KEYS = {
  'html-semantics': SEMANTIC.split(' ').map((name) => `tag:${name}`),
  'html-lists': ['tag:ul', 'tag:ol', 'tag:dl'],
  'html-h1-h6': [1, 2, 3, 4, 5, 6].map((level) => `tag:h${level}`),
  'html-image-maps': ['tag:map'],
  'html-svg': ['tag:svg'],
  'html-address': ['tag:address'],
  'html-srcset': ['attribute:srcset', 'attribute:sizes'],
  'html-anchor-links': ['href:#'],
  'html-mailto-links': ['href:mailto'],
  'html-meta-color-scheme': ['meta:color-scheme'],
  'css-variables': ['function:var'],
  'css-important': ['important'],
  'css-modern-color': ['lch', 'oklch', 'lab', 'oklab'].map((name) => `function:${name}`),
  'css-intrinsic-size': ['fit-content', 'min-content', 'max-content'].map((name) => `word:${name}`),
  'css-sytem-ui': ['system-ui', 'ui-serif', 'ui-sans-serif', 'ui-rounded', 'ui-monospace'].map(
    (name) => `word:${name}`,
  ),
  'css-unit-initial': ['word:initial'],
  'css-unit-calc': ['function:calc'],
  'css-unit-percent': ['unit:%'],
  'css-gap': ['property:gap', 'property:column-gap', 'property:row-gap'],
  'css-color-scheme': ['property:color-scheme'],
  'css-pseudo-class-lang': ['pseudo:lang'],
  'css-grid-template': ['columns', 'rows', 'areas'].map((name) => `property:grid-template-${name}`),
  'css-column-layout-properties': [
    'columns',
    'column-width',
    'column-rule',
    'column-span',
    'column-fill',
  ].map((name) => `property:${name}`),
  'css-selector-adjacent-sibling': ['selector:+'],
  'css-selector-attribute': ['selector:['],
  'css-selector-child': ['selector:>'],
  'css-selector-general-sibling': ['selector:~'],
  'css-selector-id': ['selector:#'],
  'css-selector-universal': ['selector:*'],
  'css-selector-class': ['selector:.'],
  'css-at-media-hover': ['media:hover', 'media:any-hover'],
  'css-at-media-device-pixel-ratio': [
    'media:-webkit-device-pixel-ratio',
    'media:-webkit-min-device-pixel-ratio',
  ],
  'image-base64': ['image:data'],
  'image-jpg': ['image:jpg', 'image:jpeg'],
  'image-heif': ['image:heif', 'image:heic'],
  'image-tiff': ['image:tiff', 'image:tif'],
}

const keysOf = ({ category, slug, title }) => {
  if (KEYS[slug]) return KEYS[slug]
  if (category === 'image') return [`image:${slug.slice('image-'.length)}`]
  if (category === 'html') {
    const [, typed] = /^<\w+ type="(\w+)">/.exec(title) ?? []
    if (typed) return [`input:${typed}`]
    const [, tag] = /^<(\w+)>/.exec(title) ?? []
    if (tag) return [`tag:${tag}`]
    return title.endsWith(' attribute') ? [`attribute:${title.split(' ')[0]}`] : []
  }
  if (category !== 'css') return []
  const [, condition] = /^@media \(([a-z-]+)/.exec(title) ?? []
  if (condition) return [`media:${condition}`]
  if (/^@[a-z-]+$/.test(title)) return [`at:${title.slice(1)}`]
  const [, pseudo] = /^::?([a-z-]+)/.exec(title) ?? []
  if (pseudo) return [`pseudo:${pseudo}`]
  const [, name] = /^([a-z-]+)\(\)$/.exec(title) ?? []
  if (name) return [`function:${name}`]
  const [, unit] = /^(\w+) unit$/.exec(title) ?? []
  if (unit) return [`unit:${unit}`]
  const [, property, value] = /^([a-z-]+):\s*([a-z-]+)$/.exec(title) ?? []
  if (property) return [`value:${property}:${value}`]
  const names = title
    .trim()
    .replace(/ (?:shorthand|property)$/, '')
    .split(/, | & /)
  return names.every((each) => /^[a-z-]+$/.test(each)) ? names.map((each) => `property:${each}`) : []
}

const rows = data.flatMap((feature) => {
  const keys = keysOf(feature)
  const letters = clients
    .map((client) => {
      const [family, platform] = client.split('.')
      return letterOf(feature.stats[family]?.[platform])
    })
    .join('')
  if (keys.length === 0 || !/[na]/.test(letters)) return []
  return [`${keys.join(' ')}|${feature.title.trim().replaceAll('`', '')}|${feature.slug}|${letters}`]
})

writeFileSync(
  new URL('../packages/sandbox/src/checks/client-support.ts', import.meta.url),
  `/*
 * What mail clients support, as https://www.caniemail.com had tested it on ${last_update_date.slice(0, 10)}. Made by
 * scripts/mail-client-support.js of the data of the npm package caniemail 1.0.5, under this licence:
 *
 * MIT License
 *
 * Copyright (c) 2019 HTeuMeuLeu
 * Copyright \u00a9 Avi Goldman
 * Copyright \u00a9 Andrew Powell <andrew@shellscape.org>
 *
 * Permission is hereby granted, free of charge, to any person obtaining a copy of this software and associated
 * documentation files (the "Software"), to deal in the Software without restriction, including without limitation the
 * rights to use, copy, modify, merge, publish, distribute, sublicense, and/or sell copies of the Software, and to permit
 * persons to whom the Software is furnished to do so, subject to the following conditions:
 *
 * The above copyright notice and this permission notice shall be included in all copies or substantial portions of the
 * Software.
 *
 * THE SOFTWARE IS PROVIDED "AS IS", WITHOUT WARRANTY OF ANY KIND, EXPRESS OR IMPLIED, INCLUDING BUT NOT LIMITED TO THE
 * WARRANTIES OF MERCHANTABILITY, FITNESS FOR A PARTICULAR PURPOSE AND NONINFRINGEMENT. IN NO EVENT SHALL THE AUTHORS OR
 * COPYRIGHT HOLDERS BE LIABLE FOR ANY CLAIM, DAMAGES OR OTHER LIABILITY, WHETHER IN AN ACTION OF CONTRACT, TORT OR
 * OTHERWISE, ARISING FROM, OUT OF OR IN CONNECTION WITH THE SOFTWARE OR THE USE OR OTHER DEALINGS IN THE SOFTWARE.
 */

/** When the data was made. */
export const SUPPORT_DATE = '${last_update_date.slice(0, 10)}'

/** The clients, in the order of the letters of a row. */
export const MAIL_CLIENTS: readonly string[] = [
${clients.map((client) => `  '${nameOf(client)}',`).join('\n')}
]

/**
 * One feature in each line: the keys that it is found by, its title, its name at caniemail.com, and a letter for each
 * client: y(es), n(o), a(lmost), u(nknown). What all support is left out.
 */
export const CLIENT_SUPPORT: string = \`
${rows.join('\n')}
\`
`,
)
