"""Runs aws commands, one JSON line each, for aws-cli.ts: the real program, loaded once and forked for each command."""

import json
import os
import sys
import traceback

import awscli.clidriver


def run(args, stdin, stdout, stderr):
    for descriptor, path, flags in (
        (0, stdin, os.O_RDONLY),
        (1, stdout, os.O_WRONLY | os.O_CREAT | os.O_TRUNC),
        (2, stderr, os.O_WRONLY | os.O_CREAT | os.O_TRUNC),
    ):
        os.dup2(os.open(path, flags, 0o600), descriptor)
    sys.stdin = os.fdopen(0)
    sys.argv = ["aws", *args]
    return awscli.clidriver.main()


def run_to_the_end(asked):
    code = 255
    try:
        code = run(**asked)
    except SystemExit as end:
        code = end.code if isinstance(end.code, int) else 1
    except BaseException:
        traceback.print_exc()
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(code)


answers = os.fdopen(os.dup(1), "w")
for line in os.fdopen(os.dup(0)):
    child = os.fork()
    if child == 0:
        run_to_the_end(json.loads(line))
    _, status = os.waitpid(child, 0)
    print(os.waitstatus_to_exitcode(status), file=answers, flush=True)
