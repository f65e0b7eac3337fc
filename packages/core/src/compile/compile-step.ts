import { claim } from '../context/context.js'
import type { HeaderEntry } from '../fields/header-entries.js'
import { writeEntries } from '../fields/header-entries.js'
import { checkLimits } from '../message/check-message.js'
import { keepExact } from '../message/exact-lines.js'
import type { GivenHeader } from '../message/header-shapes.js'
import { joinHeaders } from '../message/header-shapes.js'
import type { HeaderReading } from '../message/message-headers.js'
import { listRecipients } from '../message/nodemailer.js'
import type { CompilePlugin, CompilingMail } from '../message/nodemailer-types.js'
import type { RawMessage } from '../message/raw-message.js'
import { prependToRaw, readRaw } from '../message/raw-message.js'
import { refuseTransport } from '../message/refuse-transport.js'
import type { ParsedPostmarkFields } from '../vocabulary/vocabulary.js'
import { checkSuppressions, type SuppressionFinder } from './check-suppressions.js'
import type { MailSources, Snapshot } from './mail-sources.js'
import { readSources } from './mail-sources.js'
import { preflight } from './preflight.js'
import { resolveFields } from './resolve-fields.js'
import type { CompileOptions, CompileSettings } from './settings.js'
import { toCompileSettings } from './settings.js'

/**
 * Makes the compile step on its own, for `transporter.use('compile', step)`; it works once per mail, however
 * often it is registered. Prefer `attachPostmark`, which reads the context when sendMail is called.
 * @throws PostmarkError ERR_POSTMARK_OPTIONS, ERR_POSTMARK_FIELDS
 */
export function createCompileStep(options?: CompileOptions): CompilePlugin {
  return toCompileStep(toCompileSettings(options))
}

/** The same with settings that were checked already. */
export function toCompileStep(settings: CompileSettings): CompilePlugin {
  const warnOfTwins = createTwinWarning(settings)
  return (given, done) => {
    const mail = given as CompilingMail
    const sources = attempt(() => begin(mail, settings, warnOfTwins))
    const finish = (raw?: RawMessage) => {
      const compiled = attempt(() => sources.value && compile(mail, sources.value, settings, raw))
      if (compiled.error || !settings.suppressions) {
        done(compiled.error)
        return
      }
      // Out of the promise: what a later plugin, or the caller's callback, throws is theirs.
      const later = (error?: Error) => setImmediate(done, error)
      screen(mail, sources.value?.snapshot, settings, settings.suppressions).then(later, later)
    }
    if (sources.error || !sources.value) done(sources.error)
    else if (!mail.data.raw) finish()
    else readRaw(mail, (error, raw) => (error ? done(error) : finish(raw)))
  }
}

/** Runs a step and holds what it throws, so that `done` is called once and outside of any `try`. */
function attempt<T>(step: () => T): { value?: T; error?: Error } {
  try {
    return { value: step() }
  } catch (error) {
    return { error: error as Error }
  }
}

/** Reads what the mail's fields come from; undefined for a mail that is compiled already. */
function begin(
  mail: CompilingMail,
  settings: CompileSettings,
  warnOfTwins: (headers: HeaderReading) => void,
): MailSources | undefined {
  if (!claim(mail)) return undefined
  const doubt = refuseTransport(mail.mailer)
  if (doubt) settings.warn(doubt)
  // Read now, also for a raw message: when its content has been resolved, another scope may be open.
  const sources = readSources(mail)
  warnOfTwins(sources.headers)
  return sources
}

function compile(
  mail: CompilingMail,
  sources: MailSources,
  settings: CompileSettings,
  raw?: RawMessage,
): void {
  const resolved = resolveFields(raw ? { ...sources, raw: raw.headers } : sources, settings)
  const limits = checkLimits(mail.data, listRecipients)
  const warnings = preflight(resolved, raw ? [...raw.problems, ...limits] : limits, settings)
  for (const warning of warnings) settings.warn(warning)

  const { fields, correlationId, origins } = resolved
  mail.data.postmark = fields
  if (sources.snapshot) sources.snapshot.result = { fields, correlationId, origins, warnings }
  const kept = sources.headers.kept.filter((header) => !header.wrong || settings.preflight === 'warn')
  const entries = writeEntries(fields)
  if (raw)
    prependToRaw(mail, raw, [
      ...entries,
      ...kept.map(({ name, value }) => ({ key: name, value: String(value) })),
    ])
  else writeHeaders(mail, sources.rest, entries, kept)
}

/** Asks the store of suppressions; resolves to what the mail is refused with. */
async function screen(
  { data }: CompilingMail,
  snapshot: Snapshot | undefined,
  settings: CompileSettings,
  store: SuppressionFinder,
): Promise<Error | undefined> {
  const { messageStream } = data.postmark as ParsedPostmarkFields
  const stream = messageStream ?? settings.streams?.unnamed ?? 'outbound'
  const { warnings, refusal } = await checkSuppressions(data, stream, store)
  if (refusal && settings.preflight !== 'warn') return refusal
  for (const warning of warnings) settings.warn(warning)
  if (snapshot?.result) {
    snapshot.result = { ...snapshot.result, warnings: [...snapshot.result.warnings, ...warnings] }
  }
  return undefined
}

/** Writes a new headers object, and the names exactly: Nodemailer writes X-Pm-Tag where we say X-PM-Tag. */
function writeHeaders(
  mail: CompilingMail,
  rest: unknown,
  entries: readonly HeaderEntry[],
  kept: readonly GivenHeader[],
): void {
  if (entries.length === 0 && kept.length === 0) {
    mail.data.headers = rest
    return
  }
  const lines = [...entries, ...kept.map(({ name, value }) => ({ key: name, value }))]
  mail.data.headers = joinHeaders(rest, lines)
  const exact = new Map(lines.map(({ key }) => [key.toLowerCase(), key]))
  const previous = mail.data.normalizeHeaderKey as ((key: string, value: unknown) => string) | undefined
  mail.data.normalizeHeaderKey = (key: string, value: unknown) =>
    exact.get(key.toLowerCase()) ?? (typeof previous === 'function' ? previous(key, value) : key)
  keepExact(mail, entries)
}

/** Without attachPostmark two spellings may stem from the message and from createTransport: told once, not per mail. */
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
