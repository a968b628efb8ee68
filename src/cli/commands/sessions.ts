import type { Command } from 'commander'
import type { Answer } from '../answer.ts'
import { CliError } from '../cli-error.ts'
import type { Fields } from '../client.ts'
import { remote, textOption } from '../command.ts'
import type { Setting } from '../command.ts'
import type { Output } from '../context.ts'
import { table } from '../table.ts'

export function addSessionCommands(admin: Command, setting: Setting): void {
  const sessions = admin.command('sessions').description('temporary credentials')
  const revoke = sessions
    .command('revoke')
    .description('end sessions that were issued until now; acts within two seconds')
    .option('--session <accesskeyid>', 'the one session with this access key id')
    .option(
      '--principal <provider-subject...>',
      'all sessions of SUBJECT, as proven by PROVIDER (its name in the configuration, or its ARN): the `sub` of tokens; of people of a directory the distinguished name in any spelling, or the login name',
    )
    .option('--provider <name>', 'all sessions of everybody whom this provider has proven')
    .option('--gone', 'with --principal or --provider: that provider is no longer there')
    .option('--user <name>', 'all sessions of a user')
    .option('--role <name>', 'all sessions of a role: its name or ARN')
    .option(
      '--policy <name>',
      'all sessions that stand on this policy by its name: by a claim, a certificate or a binding',
    )
    .option(
      '--binding <id>',
      'all sessions that a Kubernetes binding gave: `daypass.dev/Binding/NAMESPACE/NAME` or `sts.min.io/PolicyBinding/NAMESPACE/NAME`',
    )
    .option('--cluster <name>', 'all sessions of the service accounts of a Kubernetes cluster')
    .option('--root', 'all sessions that the root key bought')
    .option('--before <time>', 'only those that were issued by then, such as 2026-01-31T09:00:00Z')
    .option('--reason <text>', 'kept with the rule and in the audit')
  remote(revoke, setting, async (client, _, options) => {
    const principal: unknown = revoke.getOptionValue('principal')
    const fields = fieldsOf({
      session: textOption(options, 'session'),
      principal: Array.isArray(principal) ? principal.map(String) : undefined,
      provider: textOption(options, 'provider'),
      role: textOption(options, 'role'),
      policy: textOption(options, 'policy'),
      user: textOption(options, 'user'),
      binding: textOption(options, 'binding'),
      cluster: textOption(options, 'cluster'),
      root: options['root'] === true ? 'true' : undefined,
    })
    const Reason = textOption(options, 'reason')
    const ProviderIsGone = options['gone'] === true ? 'true' : undefined
    const IssuedBefore = textOption(options, 'before')
    const more = { ProviderIsGone, IssuedBefore, Reason }
    const answer = await client.call('iam', 'RevokeSessions', { ...fields, ...more })
    return showRules([answer.member('Revocation')])
  })

  const revocations = admin.command('revocations').description('rules that end sessions')
  remote(
    revocations.command('ls').description('list the rules in force'),
    setting,
    async (client) => showRules((await client.call('iam', 'ListRevocations')).items('Revocations')),
  )
}

type Whom = Readonly<{
  session: string | undefined
  principal: readonly string[] | undefined
  provider: string | undefined
  role: string | undefined
  policy: string | undefined
  user: string | undefined
  binding: string | undefined
  cluster: string | undefined
  root: 'true' | undefined
}>

function fieldsOf({ principal, ...others }: Whom): Fields {
  const ways = [principal, ...Object.values(others)].filter((way) => way !== undefined)
  if (ways.length !== 1) {
    throw new CliError(
      'usage',
      'Give exactly one of --session, --principal, --provider, --user, --role, --policy, --binding, --cluster and --root',
    )
  }
  const { session, provider, user, role, policy, binding, cluster, root } = others
  if (principal === undefined) {
    return {
      AccessKeyId: session,
      Provider: provider,
      UserName: user,
      Role: role,
      PolicyName: policy,
      Binding: binding,
      Cluster: cluster,
      Root: root,
    }
  }
  const [Provider, Subject, ...more] = principal
  if (!Provider || !Subject || more.length > 0) {
    throw new CliError('usage', '--principal takes two values: PROVIDER SUBJECT')
  }
  return { Provider, Subject }
}

/** `user:8:internal:alice` (kind, length, provider, subject) as people read it. */
function whoseSessions(principal: string | undefined): string | undefined {
  const [, kind = '', length = '', rest = ''] = /^([^:]+):(\d+):(.*)$/s.exec(principal ?? '') ?? []
  if (kind === '') return principal
  const subject = rest.slice(Number(length) + 1)
  if (kind === 'root') return 'root'
  return kind === 'user' ? `user ${subject}` : `${subject} of ${rest.slice(0, Number(length))}`
}

function showRules(rules: readonly Answer[]): Output {
  const value = rules.map((rule) => ({
    id: rule.text('RevocationId') ?? '',
    session: rule.text('AccessKeyId'),
    principal: rule.text('Principal'),
    provider: rule.text('Provider'),
    role: rule.text('Role'),
    policySource: rule.text('PolicySource'),
    issuedBefore: rule.text('IssuedBefore') ?? '',
    keptUntil: rule.text('ExpireDate') ?? '',
    reason: rule.text('Reason') ?? '',
  }))
  const rows = value.map((rule) => [
    rule.id,
    rule.session ??
      whoseSessions(rule.principal) ??
      rule.provider ??
      rule.role ??
      rule.policySource ??
      '',
    rule.issuedBefore,
    rule.keptUntil,
    rule.reason,
  ])
  const titles = ['RULE', 'ENDS SESSIONS OF', 'ISSUED BEFORE', 'KEPT UNTIL', 'REASON']
  return { value, text: table(titles, rows) }
}
