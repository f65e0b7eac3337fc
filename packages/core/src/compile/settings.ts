import { readFields } from '../fields/read-fields.js'
import { optionError, refuseUnknown } from '../problems/check-options.js'
import { isRecord } from '../problems/describe.js'
import { publishWarning } from '../problems/diagnostics.js'
import { problemsError } from '../problems/error.js'
import type { PostmarkProblem } from '../problems/problem.js'
import { toSentence } from '../problems/problem.js'
import type { ParsedPostmarkFields, PostmarkFields } from '../vocabulary/vocabulary.js'
import { POSTMARK_FIELDS } from '../vocabulary/vocabulary.js'
import type { SuppressionFinder } from './check-suppressions.js'

/** Options shared by the plugin, `attachPostmark` and the transport. */
export interface CompileOptions {
  /** Default fields for every mail: the outermost level. Checked immediately. */
  readonly defaults?: PostmarkFields | undefined
  /**
   * What happens to a message that breaks a limit: `throw` (default) rejects it with every problem; `warn` sends it
   * unchanged; `fit` shortens its fields, and rejects what cannot be shortened.
   */
  readonly preflight?: 'throw' | 'warn' | 'fit' | undefined
  /**
   * Called for each warning of an email. Errors it throws are ignored: a warning never stops an email. Default: the first
   * warning of each kind is emitted as a process warning.
   */
  readonly onWarning?: ((warning: PostmarkProblem) => void) | undefined
  /** Adds a random UUID to the metadata of each email, under `correlation-id` or your own key. Default false. */
  readonly correlationId?: boolean | { readonly key: string } | undefined
  /**
   * A store that is checked before each email. Every recipient that is suppressed on the email's stream gives a warning.
   * If all are suppressed, the email is not sent, unless `preflight` is `warn`. If the store fails or does not answer
   * within 2 s, the email is sent. Default none.
   */
  readonly suppressions?: SuppressionFinder | undefined
  /**
   * What sendMail does if all recipients are suppressed: `throw` (default) rejects with ERR_POSTMARK_SUPPRESSED; `skip`
   * resolves with the addresses in `info.postmark.suppressed`, for a job that continues with the next user. Not
   * available in the plugin of @postmark-smtp/nodemailer, which cannot make sendMail resolve.
   */
  readonly suppressed?: 'throw' | 'skip' | undefined
  /**
   * Rejects mail sent outside any scope, with ERR_POSTMARK_SCOPE. With `{ metadata }`, such as `{ metadata: 'tenant'
   * }`, the scope must have a value under this key, and a message with a different value is rejected as well. Applies
   * in every mode of `preflight`. Defaults do not count as a scope. Default false.
   */
  readonly requireScope?: boolean | { readonly metadata: string } | undefined
}

/** What a transport knows of its streams. */
export interface StreamSettings {
  /** Default fields of single streams, by stream ID. */
  readonly fields: ReadonlyMap<string, ParsedPostmarkFields>
  /** The streams that the options name. */
  readonly known: ReadonlySet<string>
  /** Whether an email may only name one of these. */
  readonly strict: boolean
  /** The stream of an email that names none, if the credentials imply one; otherwise Postmark's `outbound`. */
  readonly unnamed?: string | undefined
}

/** {@link CompileOptions} after they were checked in the constructor. */
export interface CompileSettings {
  readonly defaults: ParsedPostmarkFields
  readonly preflight: 'throw' | 'warn' | 'fit'
  readonly correlationKey: string | undefined
  readonly streams: StreamSettings | undefined
  readonly suppressions: SuppressionFinder | undefined
  readonly suppressed: 'throw' | 'skip'
  /** Undefined if emails do not need a scope. */
  readonly requireScope: { readonly metadata?: string } | undefined
  /** Whether the transport has a send-once store. */
  readonly sendOnce: boolean
  warn(warning: PostmarkProblem): void
}

const COMPILE_OPTIONS = [
  'defaults',
  'preflight',
  'onWarning',
  'correlationId',
  'suppressions',
  'suppressed',
  'requireScope',
] as const

/**
 * Checks the options of the compile step.
 * @throws PostmarkError ERR_POSTMARK_OPTIONS, ERR_POSTMARK_FIELDS
 */
export function toCompileSettings(options: unknown): CompileSettings {
  refuseUnknown(options, COMPILE_OPTIONS)
  return readCompileOptions(options as CompileOptions | undefined)
}

/** The same for an object whose keys have already been checked. */
export function readCompileOptions(
  options: CompileOptions = {},
  streams?: StreamSettings,
  sendOnce = false,
): CompileSettings {
  const { preflight = 'throw', onWarning, correlationId, suppressions, suppressed = 'throw' } = options
  if (!['throw', 'warn', 'fit'].includes(preflight))
    throw optionError('preflight', preflight, '"throw", "warn" or "fit"')
  if (onWarning !== undefined && typeof onWarning !== 'function')
    throw optionError('onWarning', onWarning, 'a function')
  if (suppressions !== undefined && typeof (suppressions as SuppressionFinder | null)?.find !== 'function')
    throw optionError(
      'suppressions',
      suppressions,
      'a store with a `find` method, such as createSuppressionList()',
    )
  if (!['throw', 'skip'].includes(suppressed))
    throw optionError('suppressed', suppressed, '"throw" or "skip"')
  return {
    defaults: parseDefaults(options.defaults, 'defaults'),
    preflight,
    correlationKey: toCorrelationKey(correlationId),
    streams,
    suppressions,
    suppressed,
    requireScope: toGuard(options.requireScope),
    sendOnce,
    warn: guarded(onWarning),
  }
}

/** Reads default fields. @throws PostmarkError ERR_POSTMARK_FIELDS */
export function parseDefaults(input: unknown, path: string): ParsedPostmarkFields {
  const { fields, problems } = readFields(input, path)
  const errors = problems.filter((problem) => problem.severity === 'error')
  if (errors.length > 0) throw problemsError('ERR_POSTMARK_FIELDS', errors)
  return fields
}

function toCorrelationKey(given: unknown): string | undefined {
  if (given === undefined || given === false) return undefined
  if (given === true) return 'correlation-id'
  const key = isRecord(given) ? given.key : undefined
  if (isMetadataKey(key)) return key
  throw optionError('correlationId', given, `true, or { key } of ${METADATA_KEY}`)
}

function toGuard(given: unknown): CompileSettings['requireScope'] {
  if (given === undefined || given === false) return undefined
  if (given === true) return {}
  const metadata = isRecord(given) ? given.metadata : undefined
  if (isMetadataKey(metadata)) return { metadata }
  throw optionError('requireScope', given, `true, or { metadata } with a key of ${METADATA_KEY}`)
}

const { maxKeyLength } = POSTMARK_FIELDS.metadata
const METADATA_KEY = `at most ${maxKeyLength} characters valid in a header name`

function isMetadataKey(key: unknown): key is string {
  return typeof key === 'string' && /^[!-9;-~]+$/.test(key) && key.length <= maxKeyLength
}

/** Kinds of warnings that this process has already emitted. */
const MOST_TOLD = 100
const told = new Set<string>()

/** Without a listener, the first warning of each kind is emitted as a process warning. */
function tellOnce(warning: PostmarkProblem): void {
  const kind = `${warning.path} ${warning.limit}`
  if (told.has(kind) || told.size >= MOST_TOLD) return
  told.add(kind)
  process.emitWarning(`${toSentence(warning)} Set onWarning to see every warning.`, 'PostmarkWarning')
}

function guarded(
  onWarning: (warning: PostmarkProblem) => unknown = tellOnce,
): (warning: PostmarkProblem) => void {
  return (warning) => {
    publishWarning(warning)
    try {
      const result = onWarning(warning)
      if (result instanceof Promise) result.catch(() => {})
    } catch {
      // A warning must not stop the email it is about.
    }
  }
}
