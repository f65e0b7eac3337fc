import { inspect } from 'node:util'
import { afterAll, beforeEach, describe, expect, it, vi } from 'vitest'
import { createWebhookHandler, type WebhookAuth } from './index.js'
import { createAuthenticator } from './webhook-auth.js'

/** How much work a request makes: what is hashed and what is compared. */
const work = vi.hoisted(() => ({ hashed: 0, compared: [] as string[] }))
// The files of a worker share its modules: those that were loaded without the mock, and with it, are loaded anew.
vi.hoisted(() => vi.resetModules())
afterAll(() => vi.resetModules())
vi.mock('node:crypto', async (importOriginal) => {
  const crypto = await importOriginal<typeof import('node:crypto')>()
  return {
    ...crypto,
    createHmac: (...args: Parameters<typeof crypto.createHmac>) => {
      work.hashed += 1
      return crypto.createHmac(...args)
    },
    timingSafeEqual: (a: Buffer, b: Buffer) => {
      work.compared.push(`${a.length} with ${b.length}`)
      return crypto.timingSafeEqual(a, b)
    },
  }
})
beforeEach(() => {
  work.hashed = 0
  work.compared = []
})

const OLD = { username: 'postmark', password: 'old-0b1c2d3e4f5a6b7c' }
const NEW = { username: 'postmark', password: 'new-9f8e7d6c5b4a3928' }
const HEADER = { name: 'X-Webhook-Secret', value: 'header-13579bdf02468ace' }
const basic = ({ username, password }: typeof OLD) => ({
  authorization: `Basic ${btoa(`${username}:${password}`)}`,
})
const check = (auth: WebhookAuth, headers: Record<string, string>, address?: string) =>
  createAuthenticator(auth)(new Headers(headers), address).state

describe('the secret of a post', () => {
  const auth = { basic: [OLD, NEW], header: HEADER }
  it.each<[string, Record<string, string>, string]>([
    ['the new login', basic(NEW), 'ok'],
    ['the old login, while it is rotated', basic(OLD), 'ok'],
    ['the header, whatever the case of its name', { 'x-webhook-secret': HEADER.value }, 'ok'],
    [
      'the scheme in another case',
      { authorization: basic(NEW).authorization.replace('Basic', 'BASIC') },
      'ok',
    ],
    ['nothing', {}, 'wrong'],
    ['another password', basic({ ...NEW, password: `${NEW.password}x` }), 'wrong'],
    ['another user', basic({ ...NEW, username: 'Postmark' }), 'wrong'],
    ['the password alone', { authorization: `Basic ${btoa(NEW.password)}` }, 'wrong'],
    ['another scheme', { authorization: basic(NEW).authorization.replace('Basic', 'Bearer') }, 'wrong'],
    ['base64 that is none', { authorization: 'Basic ****' }, 'wrong'],
    ['an empty header', { 'x-webhook-secret': '' }, 'wrong'],
    ['the header’s value in the other header', { authorization: HEADER.value }, 'wrong'],
  ])('is %s', (_title, headers, result) => {
    expect(check(auth, headers)).toBe(result)
  })

  it('takes a login outside ASCII, in UTF-8', () => {
    const login = { username: 'pöst', password: 'schlüssel-für-postmark' }
    const authorization = `Basic ${Buffer.from(`${login.username}:${login.password}`).toString('base64')}`
    expect(check({ basic: login }, { authorization })).toBe('ok')
  })

  const last = NEW.password.length - 1
  it.each<[string, Record<string, string>]>([
    ['right', basic(NEW)],
    ['right, the first of the list', basic(OLD)],
    ['wrong from the first character on', basic({ ...NEW, password: `X${NEW.password.slice(1)}` })],
    ['wrong in the last character', basic({ ...NEW, password: `${NEW.password.slice(0, last)}X` })],
    ['shorter', basic({ ...NEW, password: 'n' })],
    ['longer', basic({ ...NEW, password: NEW.password.repeat(50) })],
    ['missing', {}],
  ])(
    'makes the same work where it is %s: a digest and a comparison for each of the list',
    (_title, headers) => {
      const authenticate = createAuthenticator(auth)
      work.hashed = 0
      authenticate(new Headers(headers), undefined)
      expect(work).toEqual({ hashed: 3, compared: ['32 with 32', '32 with 32', '32 with 32'] })
    },
  )
})

describe('the address of a post', () => {
  const ips = { allow: ['3.134.147.250', '10.1.0.0/16', '2001:db8::/32'] }
  it.each<[string, number | undefined, string, string | undefined, string]>([
    ['of the list', undefined, '', '3.134.147.250', 'ok'],
    ['of a network', undefined, '', '10.1.200.3', 'ok'],
    ['of IPv6', undefined, '', '2001:db8::7', 'ok'],
    ['of IPv4 in IPv6', undefined, '', '::ffff:3.134.147.250', 'ok'],
    ['of nobody', undefined, '', '198.51.100.1', 'elsewhere'],
    ['that is not known', undefined, '', undefined, 'elsewhere'],
    ['that a client only claims', undefined, '3.134.147.250', '198.51.100.1', 'elsewhere'],
    ['in front of one proxy', 1, '3.134.147.250', '198.51.100.1', 'ok'],
    ['in front of one proxy, behind a claim', 1, '1.1.1.1, 3.134.147.250', '198.51.100.1', 'ok'],
    ['that a client claims in front of a proxy', 1, '3.134.147.250, 1.1.1.1', '198.51.100.1', 'elsewhere'],
    ['in front of two proxies', 2, '3.134.147.250, 192.0.2.1', '198.51.100.1', 'ok'],
    ['that fewer proxies tell than there should be', 2, '', '3.134.147.250', 'elsewhere'],
    ['that is no address', 1, 'localhost', '3.134.147.250', 'elsewhere'],
  ])('%s, with trustProxies %s', (_title, trustProxies, forwarded, address, result) => {
    const rule = { ...ips, ...(trustProxies === undefined ? {} : { trustProxies }) }
    const headers = { ...basic(NEW), ...(forwarded === '' ? {} : { 'x-forwarded-for': forwarded }) }
    expect(check({ basic: NEW, ips: rule }, headers, address)).toBe(result)
  })

  it('never takes the place of a secret', () => {
    expect(check({ basic: NEW, ips }, {}, '3.134.147.250')).toBe('wrong')
  })
})

describe('an application does not start', () => {
  const header = (value: unknown) => ({ header: { name: 'x-secret', value } })
  it.each<[string, unknown, string]>([
    ['without auth', undefined, 'There is no secret in `auth`'],
    ['with no secret in it', {}, 'There is no secret'],
    ['with an empty list', { basic: [] }, 'There is no secret'],
    ['with only addresses', { ips: { allow: ['10.0.0.0/8'] } }, 'There is no secret'],
    ['with an empty password', { basic: { username: 'u', password: '' } }, 'auth.basic[0].password is empty'],
    [
      'with a password from an empty environment',
      { basic: { username: 'u', password: undefined } },
      'auth.basic[0].password is not a string. If it comes from an environment variable, that variable is not set.',
    ],
    ['with a placeholder', header('<your secret>'), 'auth.header[0].value is a placeholder'],
    ['with another placeholder', header('changeme'), 'placeholder'],
    ['with a variable that nobody replaced', header('$WEBHOOK_SECRET'), 'placeholder'],
    ['with "undefined"', header('undefined'), 'placeholder'],
    [
      'with a line break',
      header('5ecret-value\n'),
      'begins or ends with white space, or contains a control character',
    ],
    ['with a header outside ASCII', header('5ecret-välue'), 'printable ASCII'],
    ['with a colon in the user', { basic: { username: '5ecret:user', password: 'p-17' } }, 'without a colon'],
    [
      'with the name of no header',
      { header: { name: 'x secret', value: '5ecret' } },
      'must be a valid header name',
    ],
    [
      'with a login as one text',
      { basic: 'user:5ecret' },
      'Option auth.basic is a string; it must be an object: { username, password }.',
    ],
    [
      'with a login as a text in a list',
      { basic: [OLD, 'user:5ecret'] },
      'Option auth.basic[1] is a string; it must be an object: { username, password }.',
    ],
    [
      'with a login as a pair',
      { basic: ['user', '5ecret'] },
      'Option auth.basic[0] is a string; it must be an object: { username, password }.',
    ],
    ['with a login that is null', { basic: null }, 'Option auth.basic is null; it must be an object'],
    ['with a login that is a number', { basic: 5 }, 'Option auth.basic is a value of type number'],
    [
      'with a header as one text',
      { header: 'x-secret: 5ecret' },
      'Option auth.header is a string; it must be an object: { name, value }.',
    ],
    [
      'with a secret for auth',
      '5ecret',
      'Option auth is a string; it must be an object: { basic: { username, password } }.',
    ],
    ['with auth as a list', [OLD], 'Option auth is an array; it must be an object'],
    ['with auth that is null', null, 'Option auth is null'],
    [
      'with an address for a rule',
      { basic: OLD, ips: '3.134.147.250' },
      'Option auth.ips is "3.134.147.250"; it must be an object such as { allow: ["3.134.147.250"] }.',
    ],
    ['with a list for a rule', { basic: OLD, ips: ['3.134.147.250'] }, 'Option auth.ips is an array'],
    ['with a misspelt key', { basics: OLD }, 'Did you mean "basic"?'],
    ['with a misspelt part', { basic: { user: 'u', password: '5ecret' } }, 'username'],
    ['with an empty list of addresses', { basic: OLD, ips: { allow: [] } }, 'auth.ips.allow'],
    ['with an address that is none', { basic: OLD, ips: { allow: ['postmarkapp.com'] } }, 'auth.ips.allow'],
    ['with a network that is none', { basic: OLD, ips: { allow: ['10.0.0.0/33'] } }, 'auth.ips.allow'],
    [
      'with half a proxy',
      { basic: OLD, ips: { allow: ['::1'], trustProxies: 0.5 } },
      'auth.ips.trustProxies',
    ],
  ])('%s', (_title, auth, message) => {
    const create = () => createWebhookHandler({ auth: auth as WebhookAuth, on: {} })
    expect(create).toThrow(expect.objectContaining({ code: 'ERR_POSTMARK_OPTIONS' }))
    expect(create).toThrow(message)
    let thrown: unknown
    try {
      create()
    } catch (error) {
      thrown = error
    }
    expect(inspect(thrown, { depth: 9, showHidden: true })).not.toContain('5ecret')
  })
})

describe('a secret is shown nowhere', () => {
  it('neither by a handler nor by an answer nor to onError', async () => {
    const told: unknown[] = []
    const handle = createWebhookHandler({
      auth: { basic: [OLD, NEW], header: HEADER, ips: { allow: ['10.0.0.1'] } },
      on: {
        any: () => {
          throw new Error('no')
        },
      },
      onError: (...args) => told.push(args),
    })
    const post = (headers: Record<string, string>, remoteAddress: string) =>
      handle(new Request('http://localhost', { method: 'POST', headers, body: '{}' }), { remoteAddress })
    const answers = [
      await post(basic(NEW), '10.0.0.1'),
      await post(basic(NEW), '10.0.0.2'),
      await post({ ...basic(OLD), authorization: 'Basic eHg=' }, '10.0.0.1'),
    ]
    expect(answers.map(({ status }) => status)).toEqual([500, 503, 401])
    const shown = [handle, told, answers.map(({ headers }) => [...headers])]
    const text =
      inspect(shown, { depth: 9, showHidden: true }) +
      (await Promise.all(answers.map((answer) => answer.text()))).join()
    for (const secret of [OLD.password, NEW.password, HEADER.value, btoa(`postmark:${NEW.password}`)])
      expect(text).not.toContain(secret)
    expect(told).toHaveLength(3)
  })
})
