import type { ConditionKey } from '../condition-keys.ts'
import type { AwsFacts, Facts, NamedPolicy } from '../types.ts'
import type { Glob } from './glob.ts'

/** Whose parser will read the result: MinIO's, or that of AWS and those who follow it (Ceph RGW). */
export type NarrowDialect = 'minio' | 'aws'

/** A policy with where it came from, for messages: `binding shop/web`. */
export type SourcedPolicy = NamedPolicy & Readonly<{ source?: string }>

/** Who the credentials are for. What a request adds (time, address, S3 facts) is the target's to know and is never read here. */
export type NarrowFacts = Omit<Facts, 'aws'> & Readonly<{ aws: Omit<AwsFacts, 'CurrentTime'> }>

export type NarrowQuestion = Readonly<{
  /** One layer: any document allows, any denies. Empty means no. */
  bound: readonly SourcedPolicy[]
  /** What the caller sent: each by itself must allow. */
  session: readonly SourcedPolicy[]
  facts: NarrowFacts
  dialect: NarrowDialect
}>

export type NarrowPolicy = Readonly<{
  /** Compact JSON of Version 2012-10-17. */
  text: string
  /** Length of the text in UTF-8: what limits of targets count. */
  bytes: number
}>

/** A statement on its way: the person is decided, patterns are values. */
export type Rule = Readonly<{
  effect: 'Allow' | 'Deny'
  /** Of an Allow, and of everything for MinIO: the one service that all its actions have. `undefined`: several or any. */
  service: string | undefined
  names: Names
  places: Places
  /** All must hold; sorted, one for each operator and key. */
  terms: readonly Term[]
  /** For messages: `policy "web" of binding shop/web, Statement[1]`. */
  origin: string
}>

/** Action names in lower case: what `patterns` match and `except` does not. */
export type Names = Readonly<{ patterns: readonly Glob[]; except: readonly Glob[] }>

/** Whole resource texts, or with `negated` all but these. */
export type Places = Readonly<{ negated: boolean; globs: readonly Place[] }>

/** A whole resource text with its six parts as an ARN; the bare `*` has none. */
export type Place = Glob & Readonly<{ parts: readonly Glob[] }>

/** One operator over one key of a request. */
export type Term = Readonly<{
  /** Of operator and key: rules with equal terms have equal keys here. */
  key: string
  operator: string
  condition: ConditionKey
  /** As documents spell it; MinIO compares key names with case. */
  spelling: string
  values: readonly Glob[]
}>
