import { subscribe, unsubscribe } from 'node:diagnostics_channel'
import { startSmtpServer } from '@postmark-smtp/testing'
import { createTransport } from 'nodemailer'
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import {
  attachPostmark,
  createPostmarkTransport,
  createSuppressionList,
  deliveryOutcome,
  type PostmarkInfo,
  type PostmarkProblem,
  type PostmarkTransportOptions,
  runWithPostmark,
  type SuppressionStore,
  updatePostmark,
} from '../index.js'
import { createCompileStep } from './compile-step.js'

const TOKEN = '6f1c2b1e-8a34-4d3a-9a60-2f7f6c1f0a11'
const NEWS = { accessKey: 'PM-B-news-9f8e7d', secretKey: 's3cr3t-of-news' }
const LOGINS = [
  { user: TOKEN, pass: TOKEN },
  { user: NEWS.accessKey, pass: NEWS.secretKey },
]
const message = { from: 'a@example.com', to: 'ann@example.com', subject: 'Hello', text: 'Hello' }
const three = { ...message, to: ['ann@example.com', 'Bob <BOB@example.com>'], bcc: 'cy@example.com' }

let server: Awaited<ReturnType<typeof startSmtpServer>>
beforeAll(async () => {
  server = await startSmtpServer({ auth: LOGINS })
})
afterAll(() => server.close())
beforeEach(() => server.clear())

function setUp(options: Partial<PostmarkTransportOptions>) {
  const { host, port, ca } = server
  const warnings: PostmarkProblem[] = []
  const all = {
    serverToken: TOKEN,
    host,
    ports: [port],
    tls: { ca },
    onWarning: (warning: PostmarkProblem) => warnings.push(warning),
    ...options,
  } as PostmarkTransportOptions
  const transporter = createPostmarkTransport(all)
  return { transporter, warnings, [Symbol.asyncDispose]: () => transporter.close() }
}

function suppress(address: string, stream = 'outbound') {
  const list = createSuppressionList()
  list.add({ address, stream })
  return list
}

const refused = { code: 'ERR_POSTMARK_SUPPRESSED' }

describe('suppressions', () => {
  it('reject an email whose one recipient is suppressed, and nothing reaches the server', async () => {
    await using set = setUp({ suppressions: suppress('ANN@example.com') })
    const error = await set.transporter.sendMail(message).catch((thrown) => thrown)
    expect(error).toMatchObject({ ...refused, problems: [{ recipient: 'ann@example.com', errorCode: 406 }] })
    expect(deliveryOutcome(error)).toBe('not-sent')
    expect(set.warnings).toEqual([])
    expect(server.mails).toEqual([])
  })

  it('reach a callback as well', async () => {
    await using set = setUp({ suppressions: suppress('ann@example.com') })
    const error = await new Promise((resolve) => {
      set.transporter.sendMail(message, resolve)
    })
    expect(error).toMatchObject(refused)
  })

  it('warn of each address where others are left, and remove no recipient', async () => {
    const suppressions = suppress('bob@example.com')
    suppressions.add({ address: 'cy@example.com', stream: 'outbound' })
    await using set = setUp({ suppressions })
    const info = await set.transporter.sendMail(three)
    expect(server.mails[0]!.envelope.to).toEqual(['ann@example.com', 'BOB@example.com', 'cy@example.com'])
    expect(info.postmark.warnings).toMatchObject([
      { path: 'to', recipient: 'BOB@example.com', errorCode: 406, severity: 'warning' },
      { path: 'to', recipient: 'cy@example.com', errorCode: 406, severity: 'warning' },
    ])
    expect(set.warnings).toEqual(info.postmark.warnings)
  })

  it('send all the same with `preflight: "warn"`', async () => {
    await using set = setUp({ suppressions: suppress('ann@example.com'), preflight: 'warn' })
    const info = await set.transporter.sendMail(message)
    expect(info.postmark.warnings).toMatchObject([{ recipient: 'ann@example.com', errorCode: 406 }])
    expect(server.mails).toHaveLength(1)
  })

  it('count after the recipient has subscribed again no more', async () => {
    const suppressions = suppress('ann@example.com')
    await using set = setUp({ suppressions })
    await expect(set.transporter.sendMail(message)).rejects.toMatchObject(refused)
    suppressions.remove({ address: 'ann@example.com', stream: 'outbound' })
    const info = await set.transporter.sendMail(message)
    expect(info.postmark.warnings).toEqual([])
    expect(server.mails).toHaveLength(1)
  })

  it.each([
    ['outbound, where nothing names one', {}, undefined, 'outbound'],
    ['the transport\u2019s', { messageStream: 'receipts' }, undefined, 'receipts'],
    ['the message\u2019s', { messageStream: 'receipts' }, { messageStream: 'alerts' }, 'alerts'],
    ['that of the SMTP token', { serverToken: undefined, smtpToken: NEWS }, undefined, 'news'],
    [
      'outbound, where the message clears the transport\u2019s',
      { messageStream: 'receipts' },
      { messageStream: null },
      'outbound',
    ],
  ])('ask for the stream of the email: %s', async (_title, options, postmark, stream) => {
    await using set = setUp({ ...(options as object), suppressions: suppress('ann@example.com', stream) })
    await expect(set.transporter.sendMail({ ...message, postmark } as object)).rejects.toMatchObject(refused)
    await using other = setUp({ ...(options as object), suppressions: suppress('ann@example.com', 'other') })
    await other.transporter.sendMail({ ...message, postmark } as object)
    expect(server.mails).toHaveLength(1)
  })

  it('are read from raw emails by their envelope', async () => {
    await using set = setUp({ suppressions: suppress('ann@example.com') })
    const envelope = { from: 'a@example.com', to: ['ann@example.com'] }
    const sent = set.transporter.sendMail({
      envelope,
      raw: 'From: a@example.com\r\nSubject: Hello\r\n\r\nHello',
    })
    await expect(sent).rejects.toMatchObject(refused)
  })

  it('leave the snapshot of the context synchronous while the store is asked', async () => {
    let answer: (addresses: string[]) => void = () => {}
    const find = () =>
      new Promise<string[]>((resolve) => {
        answer = resolve
      })
    await using set = setUp({ suppressions: { find } })
    await runWithPostmark({ tag: 'before' }, async () => {
      const sending = set.transporter.sendMail(message)
      updatePostmark({ tag: 'after' })
      await new Promise(setImmediate)
      answer([])
      const info = await sending
      expect(info.postmark.tag).toBe('before')
    })
    expect(server.mails[0]!.header('X-PM-Tag')).toBe('before')
  })

  it.each<[string, SuppressionStore['find']]>([
    [
      'throws',
      () => {
        throw new Error('no connection')
      },
    ],
    ['rejects', () => Promise.reject(new Error('no connection'))],
  ])('cost no email where the store %s', async (_what, find) => {
    await using set = setUp({ suppressions: { find } })
    const info = await set.transporter.sendMail(message)
    expect(info.postmark.warnings).toMatchObject([{ path: 'suppressions', found: 'failed with Error' }])
    expect(server.mails).toHaveLength(1)
  })

  it('tell preflight\u2019s problems first, without asking', async () => {
    let asked = 0
    const find = () => {
      asked++
      return []
    }
    await using set = setUp({ suppressions: { find } })
    const wrong = { ...message, postmark: { tag: ['a'] } } as object
    await expect(set.transporter.sendMail(wrong)).rejects.toMatchObject({ code: 'ERR_POSTMARK_PREFLIGHT' })
    expect(asked).toBe(0)
  })

  it('name no address on the diagnostics channel', async () => {
    const published: unknown[] = []
    const listen = (warning: unknown) => published.push(warning)
    subscribe('postmark-smtp:warning', listen)
    try {
      await using set = setUp({ suppressions: suppress('cy@example.com') })
      await set.transporter.sendMail(three)
    } finally {
      unsubscribe('postmark-smtp:warning', listen)
    }
    expect(published).toMatchObject([{ path: 'to', errorCode: 406 }])
    expect(JSON.stringify(published)).not.toContain('@')
  })

  it.each([
    ['attachPostmark', (t: ReturnType<typeof createTransport>, o: object) => attachPostmark(t, o)],
    [
      'the compile step alone',
      (t: ReturnType<typeof createTransport>, o: object) => t.use('compile', createCompileStep(o)),
    ],
  ])('work with %s', async (_name, attach) => {
    const { host, port, ca } = server
    const auth = { user: TOKEN, pass: TOKEN }
    const transporter = createTransport({ host, port, requireTLS: true, tls: { ca }, auth })
    const warnings: PostmarkProblem[] = []
    const onWarning = (warning: PostmarkProblem) => warnings.push(warning)
    attach(transporter, { suppressions: suppress('ann@example.com'), onWarning })
    await expect(transporter.sendMail(message)).rejects.toMatchObject(refused)
    await transporter.sendMail(three)
    expect(warnings).toMatchObject([{ recipient: 'ann@example.com' }])
    expect(server.mails[0]!.envelope.to).toHaveLength(3)
  })
})

describe('suppressed: "skip"', () => {
  const all = () => {
    const list = suppress('ann@example.com')
    for (const address of ['bob@example.com', 'cy@example.com']) list.add({ address, stream: 'outbound' })
    return list
  }
  const nothingSent = {
    envelope: { from: false, to: [] },
    messageId: '',
    accepted: [],
    rejected: [],
    pending: [],
    response: '',
    envelopeTime: 0,
    messageTime: 0,
    messageSize: 0,
  }

  it('resolves where all recipients are suppressed, names them as they were written, and sends nothing', async () => {
    await using set = setUp({ suppressions: all(), suppressed: 'skip', correlationId: true })
    const info = await set.transporter.sendMail({ ...three, postmark: { tag: 'digest' } })
    expect(info).toMatchObject(nothingSent)
    expect(info.postmark.suppressed).toEqual(['ann@example.com', 'BOB@example.com', 'cy@example.com'])
    expect(info.postmark).toMatchObject({ tag: 'digest', correlationId: expect.any(String), warnings: [] })
    expect(set.warnings).toEqual([])
    expect(server.mails).toEqual([])
  })

  it('gives a callback the same result', async () => {
    await using set = setUp({ suppressions: all(), suppressed: 'skip' })
    const [error, info] = await new Promise<[unknown, { postmark: PostmarkInfo }]>((resolve) => {
      set.transporter.sendMail(three, (...answer) => resolve(answer))
    })
    expect(error).toBeNull()
    expect(info).toMatchObject(nothingSent)
    expect(info.postmark.suppressed).toHaveLength(3)
  })

  it('sends where others are left, with a warning for each as before', async () => {
    await using set = setUp({ suppressions: suppress('cy@example.com'), suppressed: 'skip' })
    const info = await set.transporter.sendMail(three)
    expect(info.postmark.suppressed).toBeUndefined()
    expect(info.postmark.warnings).toMatchObject([{ recipient: 'cy@example.com' }])
    expect(server.mails).toHaveLength(1)
  })

  it('lets a loop over users go on, and rejects for any other reason as before', async () => {
    await using set = setUp({ suppressions: suppress('bob@example.com'), suppressed: 'skip' })
    const skipped: string[] = []
    for (const name of ['ann', 'bob', 'cy']) {
      const { postmark } = await set.transporter.sendMail({ ...message, to: `${name}@example.com` })
      skipped.push(...(postmark.suppressed ?? []))
    }
    expect(skipped).toEqual(['bob@example.com'])
    expect(server.mails.map(({ envelope }) => envelope.to)).toEqual([['ann@example.com'], ['cy@example.com']])
    const wrong = set.transporter.sendMail({ ...message, postmark: { tag: ['a'] } } as object)
    await expect(wrong).rejects.toMatchObject({ code: 'ERR_POSTMARK_PREFLIGHT' })
    const callback = new Promise((resolve) => {
      set.transporter.sendMail({ ...message, postmark: { tag: ['a'] } } as object, resolve)
    })
    expect(await callback).toMatchObject({ code: 'ERR_POSTMARK_PREFLIGHT' })
  })

  it('counts more than `preflight: "warn"`, which would send', async () => {
    await using set = setUp({ suppressions: all(), suppressed: 'skip', preflight: 'warn' })
    expect((await set.transporter.sendMail(three)).postmark.suppressed).toHaveLength(3)
    expect(server.mails).toEqual([])
  })

  it('works with attachPostmark', async () => {
    const { host, port, ca } = server
    const own = createTransport({ host, port, requireTLS: true, tls: { ca } })
    const transporter = attachPostmark(own, { suppressions: all(), suppressed: 'skip' })
    const info = await transporter.sendMail(three)
    expect(info).toMatchObject({ accepted: [], rejected: [] })
    expect(info.postmark.suppressed).toEqual(['ann@example.com', 'BOB@example.com', 'cy@example.com'])
  })

  it('is refused where nothing can make sendMail resolve, and so is any other word', () => {
    const step = () => createCompileStep({ suppressions: all(), suppressed: 'skip' })
    expect(step).toThrow(
      expect.objectContaining({
        code: 'ERR_POSTMARK_OPTIONS',
        message:
          'Option suppressed is "skip"; it must be "throw" here: a plugin cannot make sendMail resolve.',
        hint: 'Use attachPostmark, or createPostmarkTransport.',
      }),
    )
    expect(() => setUp({ suppressed: 'ignore' as 'skip' })).toThrow(/suppressed.*"throw" or "skip"/)
  })
})
