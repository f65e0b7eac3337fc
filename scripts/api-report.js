/**
 * Compares the public surface of each published package, as it was built, with docs/api: one report per entry point.
 * Exits with 1 where they differ. `npm run api` (--update) writes the reports instead, so that a review sees the change.
 */
import { spawnSync } from 'node:child_process'
import { cpSync, existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { Extractor, ExtractorConfig } from '@microsoft/api-extractor'

const root = fileURLToPath(new URL('..', import.meta.url))
const { compilerOptions } = JSON.parse(readFileSync(join(root, 'tsconfig.base.json'), 'utf8'))

/**
 * The entry points of a published package that have types: its report's name, and the declarations.
 * Without `internal` ones, which are no part of the public surface.
 */
function entriesOf(folder) {
  const projectFolder = join(root, 'packages', folder)
  const manifest = JSON.parse(readFileSync(join(projectFolder, 'package.json'), 'utf8'))
  if (manifest.private) return []
  return Object.entries(manifest.exports)
    .filter(([path, target]) => target.types && !path.startsWith('./internal'))
    .map(([path, target]) => ({
      projectFolder,
      reportFileName: `${[folder, ...path.split('/').slice(1)].join('-')}.api.md`,
      mainEntryPointFilePath: join(projectFolder, target.types),
    }))
}

/** Writes the report of an entry point. What the tool has to say about the comments is not of interest here. */
function writeReport({ reportFileName, projectFolder, mainEntryPointFilePath }) {
  if (!existsSync(mainEntryPointFilePath))
    throw new Error(`${mainEntryPointFilePath} is missing: npm run build`)
  const files = [mainEntryPointFilePath]
  const overrideTsconfig = { compilerOptions: { ...compilerOptions, skipLibCheck: true }, files }
  const configObject = {
    projectFolder,
    mainEntryPointFilePath,
    apiReport: {
      enabled: true,
      includeForgottenExports: true,
      reportFileName,
      reportFolder: built,
      reportTempFolder: temporary,
    },
    docModel: { enabled: false },
    dtsRollup: { enabled: false },
    tsdocMetadata: { enabled: false },
    newlineKind: 'lf',
    compiler: { overrideTsconfig },
  }
  const packageJsonFullPath = join(projectFolder, 'package.json')
  const config = ExtractorConfig.prepare({
    configObject,
    configObjectFullPath: undefined,
    packageJsonFullPath,
  })
  const messageCallback = (message) => {
    message.handled = message.logLevel !== 'error'
  }
  const { errorCount } = Extractor.invoke(config, { localBuild: true, messageCallback })
  if (errorCount > 0) throw new Error(`API Extractor cannot read ${mainEntryPointFilePath}`)
}

const kept = join(root, 'docs/api')
const temporary = mkdtempSync(join(tmpdir(), 'postmark-smtp-api-'))
process.on('exit', () => rmSync(temporary, { recursive: true, force: true }))
const built = join(temporary, 'reports')
mkdirSync(built)
mkdirSync(kept, { recursive: true })
for (const entry of readdirSync(join(root, 'packages')).flatMap(entriesOf)) writeReport(entry)

if (process.argv.includes('--update')) {
  rmSync(kept, { recursive: true })
  cpSync(built, kept, { recursive: true })
} else {
  const { status, stdout } = spawnSync('git', ['diff', '--no-index', '--no-color', kept, built])
  if (status !== 0) {
    console.error(`${stdout}\nThe public surface is not what docs/api says. If it should be: npm run api.`)
    process.exitCode = 1
  }
}
