/**
 * Searches what a test run printed and reported, the files given as arguments, for the tokens that the tests of
 * core use, in clear and in the base64 forms of SMTP. Exits with 1 where one is found, or where there is nothing to search.
 */
import { existsSync, readdirSync, readFileSync } from 'node:fs'

const sources = 'packages/core/src/'
const tests = readdirSync(sources, { recursive: true }).filter((file) => file.endsWith('.test.ts'))
const declared = tests.flatMap((file) => [
  ...readFileSync(sources + file, 'utf8').matchAll(/^const (?:TOKEN|OLD|OTHER|SECRET) = '(.+)'$/gm),
])
const tokens = [...new Set(declared.map(([, token]) => token))]
const forms = tokens.flatMap((token) => [
  token,
  btoa(token),
  btoa(`\0${token}\0${token}`),
  btoa(`${token} `).slice(0, 48),
])

const files = process.argv.slice(2).filter((path) => existsSync(path))
const hits = files.filter((path) => {
  const text = readFileSync(path, 'utf8')
  return forms.some((form) => text.includes(form))
})
console.log(
  `${tokens.length} tokens, ${files.length} files, ${hits.length} with a leak${hits.map((path) => `\n  ${path}`).join('')}`,
)
if (tokens.length === 0)
  console.log(`No test below ${sources} declares a token: there is nothing to search for.`)
process.exitCode = hits.length > 0 || tokens.length === 0 || files.length === 0 ? 1 : 0
