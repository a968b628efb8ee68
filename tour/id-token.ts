/** `npm run --silent id-token alice`: signs in at the local provider of `npm run idp`; the id token goes to stdout. */
import { signIn } from '../test/fakes/local-idp.ts'

const [login = 'alice', issuer = 'http://127.0.0.1:5556'] = process.argv.slice(2)
try {
  const { idToken } = await signIn(issuer, login)
  process.stdout.write(idToken)
} catch (error) {
  process.stderr.write(
    `No id token from ${issuer}: ${error instanceof Error ? error.message : String(error)}\n` +
      'Is the local provider running? Start it with: npm run idp\n',
  )
  process.exitCode = 1
}
