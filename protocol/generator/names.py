# SPDX-License-Identifier: Apache-2.0
"""How Kafka's names become C names. The rules bind everybody who uses the generated structs:

1. A name is cut before a capital that follows a small letter or a digit, and before the last
   capital of a run that a small letter follows, then written small with underscores:
   TopicId -> topic_id, ISRNodes -> isr_nodes. "KRaft" counts as one word: kraft.
2. A message `FetchRequest` is `struct fetch_request`, its descriptor `fetch_request_desc`.
3. A struct `Foo` inside message M is snake(Foo) if that begins with snake(M) and an underscore,
   else snake(M)_snake(Foo): `struct fetch_request_fetch_topic`, `struct metadata_request_topic`;
   its descriptor has _desc behind that.
4. An array `Topics` is `struct … *topics; int32_t topics_count;`.
5. A word that C keeps for itself gets an underscore behind it.
"""
import re

C_WORDS = set("""auto break case char const continue default do double else enum extern float for
goto if inline int long register restrict return short signed sizeof static struct switch typedef
union unsigned void volatile while bool true false""".split())


def snake(name):
    name = name.replace("KRaft", "Kraft")
    name = re.sub(r"([A-Z]+)([A-Z][a-z])", r"\1_\2", name)
    name = re.sub(r"([a-z0-9])([A-Z])", r"\1_\2", name)
    return name.lower()


def member(name):
    """The C name of a field."""
    name = snake(name)
    return name + "_" if name in C_WORDS else name


def camel(name):
    """The name of a field in Kafka's JSON."""
    return name[0].lower() + name[1:]


def struct(message, name):
    """The C name of struct `name` (None: the message itself) in `message`."""
    prefix = snake(message)
    if name is None:
        return prefix
    inner = snake(name)
    return inner if inner.startswith(prefix + "_") else prefix + "_" + inner
