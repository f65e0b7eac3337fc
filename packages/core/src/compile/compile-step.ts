import type { HeaderEntry } from '../fields/header-entries.js'
import { writeEntries } from '../fields/header-entries.js'
import type { Reading } from '../fields/read-fields.js'
import { readFields } from '../fields/read-fields.js'
import { checkContents } from '../message/check-contents.js'
import { checkLimits } from '../message/check-message.js'
import { toHeaderLines } from '../message/header-lines.js'
import type { GivenHeader } from '../message/header-shapes.js'
import { joinHeaders, mayHoldDefaults, splitHeaders } from '../message/header-shapes.js'
import type { HeaderReading } from '../message/message-headers.js'
import { readHeaders } from '../message/message-headers.js'
import type { CompilePlugin, CompilingMail } from '../message/nodemailer-types.js'
import type { RawMessage } from '../message/raw-message.js'
import { prependToRaw, readRaw } from '../message/raw-message.js'
import { rawLimit } from '../message/raw-source.js'
import { refuseTransport } from '../message/refuse-transport.js'
import { optionError } from '../problems/check-options.js'
import { PostmarkError, problemsError } from '../problems/error.js'
import { NO_PROBLEMS } from '../problems/problem.js'
import { checkSuppressions, type SuppressionFinder } from './check-suppressions.js'
import { continueMail } from './guard-plugin.js'
import { carryRecord, MailRecord, recordOf } from './mail-record.js'
import { readOnceKey } from './once-key.js'
import { preflight } from './preflight.js'
import { requireScope } from './require-scope.js'
import { resolveFields } from './resolve-fields.js'
import { sealTransport } from './seal-mail.js'
import type { CompileOptions, CompileSettings } from './settings.js'
import { toCompileSettings } from './settings.js'

/**
 * Creates the compile step on its own, for `transporter.use('compile', step)`. It runs once per email, however often it
 * is registered. Prefer `attachPostmark`, which reads the scope when sendMail is called.
 * @throws PostmarkError ERR_POSTMARK_OPTIONS, ERR_POSTMARK_FIELDS
 */
export function createCompileStep(options?: CompileOptions): CompilePlugin {
  const settings = toCompileSettings(options)
  if (settings.suppressed === 'skip') {
    const hint = 'Use attachPostmark, or createPostmarkTransport.'
    throw optionError('suppressed', 'skip', '"throw" here: a plugin cannot make sendMail resolve', hint)
  }
  const step = toCompileStep(settings)
  return (mail, done) => {
    sealTransport((mail as CompilingMail).mailer?.transporter)
    step(mail, done)
  }
}

/**
 * The same with settings that have already been checked, for a transporter whose transport is sealed.
 * @param late whether emails may already be composed, as they are when they reach a transport
 */
export function toCompileStep(settings: CompileSettings, late = false): CompilePlugin {
  const warnOfTwins = createTwinWarning(settings)
  const finish = (mail: CompilingMail, done: Done, sources: MailSources, raw?: RawMessage) => {
    let failure: Error | undefined
    try {
      compile(mail, sources, settings, raw)
    } catch (error) {
      failure = error as Error
    }
    const { suppressions } = settings
    if (failure || !suppressions) {
      continueMail(mail, done, failure)
      return
    }
    // Called outside the promise, so that what the caller's callback throws stays the caller's.
    const later = (error?: Error) => setImmediate(continueMail, mail, done, error)
    screen(mail, sources.record, settings, suppressions).then(later, later)
  }
  return (given, done) => {
    const mail = given as CompilingMail
    let sources: MailSources | undefined
    try {
      sources = begin(mail, settings, warnOfTwins, late)
    } catch (error) {
      continueMail(mail, done, error as Error)
      return
    }
    if (!sources) continueMail(mail, done)
    else if (!mail.data.raw || sources.record.unreadable.length > 0) finish(mail, done, sources)
    else readRawFirst(mail, done, sources, settings, finish)
  }
}

type Done = Parameters<CompilePlugin>[1]
type Finish = (mail: CompilingMail, done: Done, sources: MailSources, raw: RawMessage) => void

/** Compiles an email once the beginning of its `raw` was read. */
function readRawFirst(
  mail: CompilingMail,
  done: Done,
  sources: MailSources,
  settings: CompileSettings,
  finish: Finish,
): void {
  const limit = rawLimit(settings.preflight === 'warn', (problem) => {
    sources.record.brokenOff = problem
    return problemsError('ERR_POSTMARK_PREFLIGHT', [problem])
  })
  readRaw(mail, limit).then(
    (raw) => setImmediate(finish, mail, done, sources, raw),
    (error: Error) => setImmediate(continueMail, mail, done, error),
  )
}

const NO_READINGS: readonly Reading[] = []

/** What the fields of an email that is being compiled come from. */
interface MailSources {
  readonly record: MailRecord
  /** From createTransport's second argument. */
  readonly transport: readonly Reading[]
  /** Postmark headers that are newer than the vocabulary. */
  readonly kept: readonly GivenHeader[]
  /** Headers that are not Postmark's, in the shape they came in. */
  readonly rest: unknown
}

/** Reads what the email's fields come from. Undefined if the email is already compiled. */
function begin(
  mail: CompilingMail,
  settings: CompileSettings,
  warnOfTwins: (headers: HeaderReading) => void,
  late: boolean,
): MailSources | undefined {
  const taken = recordOf(mail)
  if (taken?.mail) return undefined
  if (mail.message && !late) {
    const hint = "Register it for the compile step: transporter.use('compile', postmark())."
    throw new PostmarkError(
      'ERR_POSTMARK_OPTIONS',
      `The plugin runs after the compile step, when the headers of the email are already written. ${hint}`,
      { hint },
    )
  }
  const doubt = refuseTransport(mail.mailer)
  if (doubt && !late) settings.warn(doubt)
  const { data } = mail
  const { postmark, rest } = splitHeaders(data.headers)
  // Read now, even for a raw message: by the time its content is resolved, another scope may be open.
  const record = taken ?? new MailRecord(data.postmark, postmark, mayHoldDefaults(data.headers))
  record.mail = mail
  if (record.idempotencyKey === undefined) record.idempotencyKey = data.idempotencyKey
  carryRecord(data, record)
  warnOfTwins(record.headers)
  const { kept } = record.headers
  if (!taken || late) {
    record.unreadable = checkContents(data)
    return { record, transport: readAdded(record, NO_READINGS), kept, rest }
  }
  // The caller's own are in the record: what remains in the data came from createTransport's second argument.
  const defaults = readHeaders(postmark, 'defaults.headers')
  const transport = readAdded(record, [readFields(data.postmark, 'defaults'), defaults])
  const further = defaults.kept.length > 0 ? withoutNames(defaults.kept, kept) : []
  return { record, transport, kept: further.length > 0 ? [...further, ...kept] : kept, rest }
}

/** The readings, below which is what was added when sendMail was called: whatever else names its key wins. */
function readAdded({ added }: MailRecord, readings: readonly Reading[]): readonly Reading[] {
  return added ? [readFields({ metadata: added }, 'defaults'), ...readings] : readings
}

function withoutNames(headers: readonly GivenHeader[], others: readonly GivenHeader[]): GivenHeader[] {
  const names = new Set(others.map(({ name }) => name.toLowerCase()))
  return headers.filter(({ name }) => !names.has(name.toLowerCase()))
}

function compile(
  mail: CompilingMail,
  { record, transport, kept, rest }: MailSources,
  settings: CompileSettings,
  raw?: RawMessage,
): void {
  const { context, message, headers, unreadable, idempotencyKey } = record
  const { reference, problem } = readOnceKey(idempotencyKey, settings.sendOnce)
  const fieldSources = { transport, context, message, headers, raw: raw?.headers, reference }
  if (settings.requireScope) requireScope(fieldSources, settings.requireScope)
  const resolved = resolveFields(fieldSources, settings)
  // If the value is not a message at all, no other problem is worth reporting.
  const isUnreadable = raw?.problems.some(({ severity }) => severity === 'error')
  const limits = isUnreadable ? NO_PROBLEMS : checkLimits(mail.data, raw?.source.head)
  const found = problem ? { ...resolved, fatal: [...resolved.fatal, problem] } : resolved
  const warnings = preflight(found, raw ? raw.problems : unreadable, limits, settings)
  for (const warning of warnings) settings.warn(warning)

  const { fields, correlationId, origins } = resolved
  mail.data.postmark = fields
  const entries = writeEntries(fields)
  for (const { name, value, wrong } of kept) {
    if (!wrong || settings.preflight === 'warn') entries.push({ key: name, value: String(value) })
  }
  const lines = raw ? [] : toHeaderLines(entries)
  const openRaw = raw && prependToRaw(mail, raw, entries)
  // Not spread from a part of it, because V8 would create a shape for each.
  record.result = { fields, correlationId, origins, warnings, reference, lines, openRaw }
  if (!raw) mail.data.headers = withEntries(rest, entries)
}

/** Headers for code that inspects the message. The lines themselves are written when the email is sealed. */
function withEntries(rest: unknown, entries: readonly HeaderEntry[]): unknown {
  return entries.length === 0 ? rest : joinHeaders(rest, entries)
}

/** Queries the suppression store. Resolves to the error that the email is rejected with. */
async function screen(
  { data }: CompilingMail,
  record: MailRecord,
  settings: CompileSettings,
  store: SuppressionFinder,
): Promise<Error | undefined> {
  const result = record.result!
  const stream = result.fields.messageStream ?? settings.streams?.unnamed ?? 'outbound'
  const { warnings, refusal } = await checkSuppressions(data, stream, store)
  if (refusal && settings.suppressed === 'skip')
    record.skipped = refusal.problems.flatMap(({ recipient }) => recipient ?? [])
  if (refusal && (record.skipped || settings.preflight !== 'warn')) return refusal
  for (const warning of warnings) settings.warn(warning)
  record.result = { ...result, warnings: [...result.warnings, ...warnings] }
  return undefined
}

/**
 * Without attachPostmark, the two spellings may come from the message and from createTransport. Reported once, not per
 * mail.
 */
function createTwinWarning(settings: CompileSettings): (headers: HeaderReading) => void {
  const told = new Set<string>()
  return ({ twins }) => {
    for (const twin of twins) {
      if (told.has(twin.path)) continue
      told.add(twin.path)
      settings.warn(twin)
    }
  }
}
