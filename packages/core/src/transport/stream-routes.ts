import { parseDefaults } from '../compile/settings.js'
import type { RoutePlan } from '../delivery/route-plan.js'
import { streamProblem } from '../fields/stream-problem.js'
import { optionError, refuseUnknown } from '../problems/check-options.js'
import { isRecord } from '../problems/describe.js'
import { PostmarkError } from '../problems/error.js'
import { toSentence } from '../problems/problem.js'
import { pathOf, quote } from '../problems/quote.js'
import type { Credentials, Login, StreamType } from '../smtp/credentials.js'
import { readAccessKey, toLogin } from '../smtp/credentials.js'
import { POSTMARK_HOSTS } from '../smtp/postmark-hosts.js'
import type { ParsedPostmarkFields } from '../vocabulary/vocabulary.js'
import { POSTMARK_FIELDS } from '../vocabulary/vocabulary.js'
import type { PostmarkTransportOptions, StreamOptions } from './transport-options.js'

const CREDENTIALS = ['serverToken', 'smtpToken', 'credentials'] as const
const STREAM_OPTIONS = [
  'type',
  ...CREDENTIALS,
  ...Object.keys(POSTMARK_FIELDS).filter((field) => field !== 'messageStream'),
]

/** A host under a login. The transport creates a route from it when the first email goes there. */
export interface RouteTarget {
  readonly host: string
  readonly plan: RoutePlan
}

/** Where the emails of a stream go. */
interface Target {
  readonly route: RouteTarget
  /** The only stream that the credentials are for. Undefined for a Server API token. */
  readonly onlyStream: string | undefined
  /** The type of the stream, as far as the options specify it. */
  readonly type: StreamType
}

/** The streams of a transport. */
export interface StreamRoutes {
  /** The target of a stream; undefined means an email that names none. */
  target(stream: string | undefined): Target
  /** The routes that the options declare, each once. */
  readonly declared: readonly RouteTarget[]
  /** Default fields by stream. */
  readonly fields: ReadonlyMap<string, ParsedPostmarkFields>
  readonly known: ReadonlySet<string>
}

/** The login: fixed, or requested at each login. */
export interface Account {
  readonly login: () => Login | Promise<Login>
  readonly rotates: boolean
  readonly type: StreamType | undefined
  readonly stream: string | undefined
  readonly bySmtpToken: boolean
}

/** Reads streams and credentials. @throws PostmarkError ERR_POSTMARK_OPTIONS, _CREDENTIALS, _FIELDS */
export function readStreamRoutes(
  options: PostmarkTransportOptions,
  toPlan: (host: string, account: Account) => RoutePlan,
): StreamRoutes {
  const streams: unknown = options.streams ?? {}
  if (!isRecord(streams)) throw optionError('streams', streams, 'an object of stream IDs')
  const main = readAccount(options, '')
  const { messageStream } = options
  if (
    main.stream !== undefined &&
    messageStream !== undefined &&
    main.stream !== messageStream &&
    !hasOwnAccount(streams[messageStream])
  ) {
    throw new PostmarkError(
      'ERR_POSTMARK_CREDENTIALS',
      `messageStream is ${quote(messageStream)}, but the SMTP token is for the stream ${JSON.stringify(main.stream)}.`,
      {
        hint: 'Remove messageStream, or use the token of that stream.',
      },
    )
  }
  const routes = new Map<string, RouteTarget>()
  const accounts = new Map<Account, number>()
  const routeTo = (host: string, account: Account): RouteTarget => {
    if (!accounts.has(account)) accounts.set(account, accounts.size)
    const key = `${accounts.get(account)} ${host}`
    const route = routes.get(key) ?? { host, plan: toPlan(host, account) }
    routes.set(key, route)
    return route
  }
  const toTarget = (
    stream: string | undefined,
    type: StreamType | undefined,
    own: Account | undefined,
  ): Target => {
    const account = own ?? main
    const byName = stream === 'broadcast' ? 'broadcasts' : undefined
    const known = type ?? account.type ?? byName ?? 'transactional'
    const host = options.host ?? POSTMARK_HOSTS[known]
    const onlyStream = account.bySmtpToken ? (own ? stream : (messageStream ?? main.stream)) : undefined
    return { route: routeTo(host, account), onlyStream, type: known }
  }
  const targets = new Map<string, Target>()
  const fields = new Map<string, ParsedPostmarkFields>()
  for (const [stream, given] of Object.entries(streams)) {
    const problem = streamProblem(stream, pathOf('streams', stream))
    if (problem)
      throw new PostmarkError('ERR_POSTMARK_OPTIONS', `Option ${toSentence(problem)}`, {
        problems: [problem],
      })
    const name = pathOf('streams', stream)
    if (!isRecord(given)) throw optionError(name, given, 'an object such as { type: "broadcasts" }')
    refuseUnknown(given, STREAM_OPTIONS, name)
    const { type, serverToken, smtpToken, credentials, ...defaults } = given as StreamOptions
    if (type !== undefined && !Object.hasOwn(POSTMARK_HOSTS, type)) {
      throw optionError(`streams.${stream}.type`, type, '"transactional" or "broadcasts"')
    }
    const own = hasOwnAccount(given)
      ? readAccount({ serverToken, smtpToken, credentials }, `streams.${stream}.`)
      : undefined
    targets.set(stream, toTarget(stream, type, own))
    fields.set(stream, parseDefaults(defaults, `streams.${stream}`))
  }
  const plain = toTarget(messageStream, undefined, undefined)
  const fallback = (messageStream === undefined ? undefined : targets.get(messageStream)) ?? plain
  return {
    target: (stream) =>
      stream === undefined ? fallback : (targets.get(stream) ?? toTarget(stream, undefined, undefined)),
    declared: [...new Set([fallback, ...targets.values()].map(({ route }) => route))],
    fields,
    known: new Set([
      ...targets.keys(),
      ...(messageStream === undefined ? ['outbound', 'broadcast'] : [messageStream]),
    ]),
  }
}

function hasOwnAccount(given: unknown): boolean {
  return isRecord(given) && CREDENTIALS.some((name) => given[name] !== undefined)
}

function readAccount(
  options: { readonly serverToken?: unknown; readonly smtpToken?: unknown; readonly credentials?: unknown },
  path: string,
): Account {
  const { credentials } = options
  if (credentials === undefined) {
    const login = toLogin(options, path)
    return {
      login: () => login,
      rotates: false,
      ...readAccessKeyOf(login),
      bySmtpToken: options.smtpToken !== undefined,
    }
  }
  if (typeof credentials !== 'function')
    throw optionError(`${path}credentials`, credentials, 'a function that returns serverToken or smtpToken')
  if (options.serverToken !== undefined || options.smtpToken !== undefined) {
    throw new PostmarkError(
      'ERR_POSTMARK_CREDENTIALS',
      `Two kinds of credentials were given: ${path}credentials cannot be combined with the others.`,
    )
  }
  const ask = credentials as () => Credentials | Promise<Credentials>
  const login = async () => toLogin(await ask(), `${path}credentials().`)
  return { login, rotates: true, type: undefined, stream: undefined, bySmtpToken: false }
}

function readAccessKeyOf({ user }: Login): Pick<Account, 'type' | 'stream'> {
  const { type, stream } = readAccessKey(user)
  return { type, stream }
}
