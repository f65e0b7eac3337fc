import { describe, expect, it } from 'vitest'
import { checkHtml } from './html-check.js'
import { findFeatures } from './html-features.js'

const keysOf = (html: string) => [...findFeatures(html).keys()]

describe('the features of HTML', () => {
  it.each<[html: string, keys: readonly string[]]>([
    ['<VIDEO controls src="a.mp4">', ['tag:video', 'attribute:controls']],
    ['<p style="DISPLAY: flex; gap:1rem">', ['value:display:flex', 'property:gap', 'unit:rem']],
    ['<p style="width: calc(100% - 10px) !important">', ['function:calc', 'unit:%', 'unit:px', 'important']],
    ["<p style='background: url(data:image/png;base64,AA==)'>", ['property:background', 'function:url']],
    ['<p style="color: var(--brand); width: fit-content">', ['function:var', 'word:fit-content']],
    [
      '<style>@media (max-width: 600px) { a:hover, p > b { margin: 0 } }</style>',
      ['at:media', 'media:max-width', 'pseudo:hover', 'selector:>', 'property:margin'],
    ],
    ['<style>@import url(a.css); @font-face { font-family: x }</style>', ['at:import', 'at:font-face']],
    [
      '<style>/* display: grid */ a[href^="x"]::after { content: "" }</style>',
      ['selector:[', 'pseudo:after'],
    ],
    [
      '<input type="checkbox"><meta name="color-scheme" content="dark">',
      ['input:checkbox', 'meta:color-scheme'],
    ],
    ['<a href="#top">x</a><a href="mailto:a@example.com">y</a>', ['href:#', 'href:mailto']],
    ['<img src="a.webp?x=1" srcset="b.webp 2x">', ['image:webp', 'attribute:srcset']],
    ['<img src="data:image/png;base64,AA==">', ['image:data']],
  ])('%s', (html, keys) => {
    expect(keysOf(html)).toEqual(expect.arrayContaining([...keys]))
  })

  it.each<[html: string, key: string]>([
    ['<!-- <video> --><p>', 'tag:video'],
    ['<p title="<video>">', 'tag:video'],
    ['<p>display: flex; a > b', 'value:display:flex'],
    ['<style>/* p { gap: 1px } */</style>', 'property:gap'],
    ['<style>@media (max-width: 600px) {}</style>', 'property:max-width'],
    ['<a style="background: url(https://example.com/flex-10em)">', 'unit:em'],
    ['1 < 2 and 3 <4>', 'tag:4'],
  ])('%s does not hold %s', (html, key) => {
    expect(keysOf(html)).not.toContain(key)
  })

  it.each([
    '<'.repeat(1_000_000),
    '<!--'.repeat(250_000),
    '<style>'.repeat(150_000),
    `<p ${'a="'.repeat(300_000)}`,
    `<p ${"a='".repeat(300_000)}>`,
    `<style>${'/*'.repeat(500_000)}`,
    `<style>${'a:('.repeat(300_000)}`,
    `<style>${'['.repeat(900_000)}{`,
    `<p style="${'a:b('.repeat(200_000)}">`,
  ])('are found in one pass, whatever the HTML is', (html) => {
    expect(findFeatures(html).size).toBeGreaterThanOrEqual(0)
  })
})

describe('the check', () => {
  it('names the clients that do not support something, and where that was tested', () => {
    const finding = checkHtml('<p style="display:flex"></p><p style="display:flex">').find(
      ({ title }) => title === 'display:flex',
    )
    expect(finding).toMatchObject({ count: 2, url: 'https://www.caniemail.com/features/css-display-flex/' })
    expect(finding?.unsupported).toContain('Outlook Windows')
    expect(finding?.unsupported).not.toContain('Apple Mail iOS')
  })

  it('puts what fails in most clients first, and finds nothing in plain text', () => {
    const counts = checkHtml('<video></video><p style="margin:0;gap:1px">').map(
      ({ unsupported }) => unsupported.length,
    )
    expect(counts.length).toBeGreaterThan(1)
    expect(counts).toEqual(counts.toSorted((a, b) => b - a))
    expect(checkHtml('Hello, Ann')).toEqual([])
  })
})
