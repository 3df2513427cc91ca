#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The generator against two small schemas and what it must make of them, and against bad schemas.

testdata/generator/expected is rewritten by: generate.py testdata/generator/schema testdata/generator/expected
"""
import filecmp
import os
import subprocess
import sys
import tempfile
import unittest

sys.dont_write_bytecode = True
HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, HERE)
from generator import emit, names, schema  # noqa: E402


def generate(source, out):
    return subprocess.run([sys.executable, os.path.join(HERE, "generate.py"), source, out],
                          capture_output=True, text=True)


def files(folder):
    return sorted(os.path.relpath(os.path.join(here, name), folder)
                  for here, _, found in os.walk(folder) for name in found)


class Expected(unittest.TestCase):
    source = os.path.join(HERE, "testdata/generator/schema")
    expected = os.path.join(HERE, "testdata/generator/expected")

    def test_output_is_as_expected(self):
        with tempfile.TemporaryDirectory() as out:
            run = generate(self.source, out)
            self.assertEqual((run.returncode, run.stderr), (0, ""))
            self.assertEqual(files(out), files(self.expected))
            for name in files(out):
                with open(f"{out}/{name}") as a, open(f"{self.expected}/{name}") as b:
                    self.assertEqual(a.read(), b.read(), name)

    def test_files_that_do_not_change_are_not_touched(self):
        with tempfile.TemporaryDirectory() as out:
            generate(self.source, out)
            for name in files(out):
                os.utime(f"{out}/{name}", (1, 1))
            with open(f"{out}/api_keys.h", "a") as f:
                f.write("// changed\n")
            generate(self.source, out)
            touched = [n for n in files(out) if os.stat(f"{out}/{n}").st_mtime != 1]
            self.assertEqual(touched, ["api_keys.h"])
            self.assertTrue(filecmp.cmp(f"{out}/api_keys.h", f"{self.expected}/api_keys.h", False))

    def test_generated_c_compiles(self):
        compiler = os.environ.get("CC", "cc").split()
        sources = os.path.dirname(HERE)
        for name in ["descriptors.c", "kafka_error.c"]:
            with tempfile.TemporaryDirectory() as tree:
                # codec.h and wire.h are the real ones, everything generated is the small schema's.
                os.makedirs(f"{tree}/protocol")
                for entry in os.listdir(self.expected):
                    os.symlink(f"{self.expected}/{entry}", f"{tree}/protocol/{entry}")
                for entry in ["codec.h", "wire.h", "registry.h"]:
                    os.symlink(f"{HERE}/{entry}", f"{tree}/protocol/{entry}")
                run = subprocess.run(
                    compiler + ["-std=gnu11", "-Wall", "-Wextra", "-Werror", "-fsyntax-only",
                                f"-I{tree}", f"-I{sources}/src", f"{tree}/protocol/{name}"],
                    capture_output=True, text=True)
                self.assertEqual((run.returncode, run.stderr), (0, ""))


class Names(unittest.TestCase):
    def test_snake(self):
        for kafka, c in [("TopicId", "topic_id"), ("ISRNodes", "isr_nodes"), ("topic", "topic"),
                         ("KRaftVersionFeature", "kraft_version_feature"), ("Crc32C", "crc32_c")]:
            self.assertEqual(names.snake(kafka), c)

    def test_structs_carry_their_message(self):
        self.assertEqual(names.struct("FetchRequest", None), "fetch_request")
        self.assertEqual(names.struct("FetchRequest", "FetchTopic"), "fetch_request_fetch_topic")
        self.assertEqual(names.struct("MetadataRequest", "MetadataRequestTopic"),
                         "metadata_request_topic")

    def test_words_of_c_get_an_underscore(self):
        self.assertEqual(names.member("Default"), "default_")


class Sizes(unittest.TestCase):
    def test_min_size(self):
        m = schema.parse("data X versions 0-2 flexible 1+\n"
                         "    A  string  0+  classic\n"
                         "    B  []int8  0+\n"
                         "    C  uuid    2+\n"
                         "    D  int64   1+  tag 0\n", "x")[0]
        self.assertEqual([emit.min_size(m.body, v, v >= 1) for v in range(3)], [6, 4, 20])


class Bad(unittest.TestCase):
    HEAD = "data X versions 0-3 flexible 1+\n"

    def refused(self, text, reason):
        with self.assertRaises(schema.SchemaError) as caught:
            schema.parse(text, "x.msg")
        self.assertIn(reason, str(caught.exception))
        self.assertIn("x.msg", str(caught.exception))

    def test_fields(self):
        for line, reason in [
                ("    A", "a field is NAME TYPE VERSIONS"),
                ("   A int8 0+", "indent by four spaces"),
                ("        A int8 0+", "deeper than anything"),
                ("    A int8 1-0", "runs backwards"),
                ("    A int8 x", "not a range"),
                ("    A int8 4+", "none of the message's versions"),
                ("    A int8 0+ default null", "not nullable"),
                ("    A int8 0+ default x", "invalid literal"),
                ("    A uuid 0+ default 1", "cannot be the default"),
                ("    A []int8 0+ default 1", "an array or struct"),
                ("    A int8 0+ nonsense", "unexpected 'nonsense'"),
                ("    A int8 0+ tag", "lacks its value"),
                ("    A int8 0+ entity cupName", "is none of"),
                ("    A Foo 0+", "has no fields"),
                ("    A int8 0+\n    A int8 0+", "have one name"),
                ("    A int8 1+ tag 0\n    B int8 1+ tag 0", "have one tag"),
                ("    struct F 1+\n        B int8 1+\n    A F 0+", "lacks")]:
            self.refused(self.HEAD + line + "\n", reason)

    def test_messages(self):
        for line, reason in [
                ("nonsense X versions 0", "a message begins with"),
                ("data X versions 0", "needs"),
                ("request X versions 0 flexible none", "needs"),
                ("record X in kitchen type 1 versions 0 flexible none", "is none of"),
                ("data X versions 0 flexible none\n    A int8 0+ tag 0", "never flexible")]:
            self.refused(line + "\n", reason)

    def test_errors(self):
        with self.assertRaises(schema.SchemaError):
            schema.parse_errors("errors\n    1 A nonsense\n", "errors.msg")

    def test_a_request_needs_its_response(self):
        with tempfile.TemporaryDirectory() as folder:
            os.mkdir(f"{folder}/records")
            with open(f"{folder}/x.msg", "w") as f:
                f.write("request XRequest api 1 versions 0 flexible none listeners broker\n")
            run = generate(folder, folder + "/out")
            self.assertEqual(run.returncode, 1)
            self.assertIn("do not pair", run.stderr)


if __name__ == "__main__":
    unittest.main()
