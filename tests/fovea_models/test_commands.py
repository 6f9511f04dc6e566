# SPDX-License-Identifier: Apache-2.0
"""What export.py and light.py say on the command line: one error line with a hint, exit codes, notes, nothing written."""
import contextlib
import errno
import io
import json
import os
import resource
import subprocess
import sys
import tempfile
import unittest
from pathlib import Path
from unittest import mock

import onnx
import torch

from fovea_models import export, light, mtmi
from fovea_models.networks import NETWORKS

FOLDER = Path(__file__).resolve().parents[2] / "models" / "light"


def network(*arguments):
    """The network with seeded weights, as a checkpoint would hold them."""
    args = export.parser().parse_args([*arguments, "--seed", "0", "-o", "x"])
    export.check(export.parser(), args)
    return export.load(NETWORKS[args.network], args)[0]


class Case(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = Path(folder.name)
        self.output = self.folder / "out.onnx"

    def save(self, name, content):
        torch.save(content, self.folder / name)
        return str(self.folder / name)

    def run_main(self, *arguments, command=export.main):
        out, err = io.StringIO(), io.StringIO()
        with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
            try:
                code = command([*arguments])
            except SystemExit as left:
                code = left.code
        return code, err.getvalue().splitlines()

    def refused(self, code, *arguments, output=None):
        """The error line and the hint, both without what is in front."""
        before = sorted(self.folder.rglob("*"))
        found, lines = self.run_main(*arguments, "-o", str(output or self.output))
        self.assertEqual(found, code, lines)
        self.assertEqual([line.split(": ")[0] for line in lines[-2:]], ["error", "hint"], lines)
        self.assertEqual(sorted(self.folder.rglob("*")), before)
        return lines[-2].removeprefix("error: "), lines[-1].removeprefix("hint: ")

    def loaded(self, *arguments):
        """What reaches the network, and the notes."""
        args = export.parser().parse_args([*arguments, "-o", str(self.output)])
        export.check(export.parser(), args)
        err = io.StringIO()
        with contextlib.redirect_stderr(err):
            model, _ = export.load(NETWORKS[args.network], args)
        return model, err.getvalue().replace(str(self.folder) + "/", "").splitlines()


class Parts(Case):
    @classmethod
    def setUpClass(cls):
        cls.whole = network("mtmi").state_dict()
        cls.parts = {p: {k.removeprefix(p + "."): v for k, v in cls.whole.items() if k.startswith(p + ".")} for p in ("backbone", "decode_head", "depth_head")}

    def file(self, part):
        return f"{part}={self.save(part + '.pth', {'state_dict': self.parts[part]})}"

    def test_a_part_needs_its_own_weights_only(self):
        for option, part in (("encoder", "backbone"), ("seg", "decode_head"), ("depth", "depth_head")):
            for given in (self.file(part), self.file(part).partition("=")[2], self.save("whole.pth", self.whole)):
                model, notes = self.loaded("mtmi", "--part", option, "--checkpoint", given)
                self.assertEqual(notes, [])
                self.assertEqual({k: v.sum() for k, v in model.state_dict().items()}, {f"{part}.{k}": v.sum() for k, v in self.parts[part].items()})

    def test_parts_that_are_not_needed_are_said(self):
        _, notes = self.loaded("mtmi", "--part", "encoder", "--checkpoint", self.file("backbone"), "--checkpoint", "depth_head=nowhere.pth")
        self.assertEqual(notes, ["note: depth_head=nowhere.pth: not read, as --part encoder needs backbone only"])

    def test_the_encoder_is_exported(self):
        code, lines = self.run_main("mtmi", "--part", "encoder", "--size", "64", "--checkpoint", self.file("backbone"), "-o", str(self.output))
        self.assertEqual((code, lines, self.output.exists()), (0, [], True))

    def test_parts_without_weights_are_named(self):
        message, hint = self.refused(3, "mtmi", "--checkpoint", self.file("backbone"))
        self.assertEqual(message, "mtmi: expected weights for backbone, decode_head, depth_head, found none for decode_head, depth_head")
        self.assertEqual(hint, "add --checkpoint decode_head=FILE --checkpoint depth_head=FILE")
        message, hint = self.refused(3, "mtmi", "--part", "depth", "--checkpoint", self.file("backbone"))
        self.assertEqual(message, "mtmi: expected weights for depth_head, found none for depth_head")

    def test_parts_that_are_none(self):
        message, _ = self.refused(2, "mtmi", "--checkpoint", "neck=f.pth")
        self.assertEqual(message, "--checkpoint neck=f.pth: expected one of the parts backbone, decode_head, depth_head, found 'neck'")
        message, _ = self.refused(2, "yolov5n", "--checkpoint", "model=f.pt")
        self.assertEqual(message, "--checkpoint model=f.pt: expected no part, as yolov5n has none, found 'model'")
        message, _ = self.refused(2, "mtmi", "--checkpoint", "backbone=a", "--checkpoint", "backbone=b")
        self.assertEqual(message, "--checkpoint backbone=b: given twice for backbone")
        message, _ = self.refused(2, "mtmi", "--checkpoint", "backbone=")
        self.assertEqual(message, "--checkpoint backbone=: expected something after the =")

    def test_a_path_with_an_equals_sign(self):
        model, _ = self.loaded("mtmi", "--checkpoint", self.save("lr=3.pth", self.whole))
        self.assertEqual(model.state_dict().keys(), self.whole.keys())

    def test_an_entry_for_each_part(self):
        backbone = self.save("b.pth", {"state_dict": self.parts["backbone"], "ema": {k: v + 1 for k, v in self.parts["backbone"].items()}})
        files = ["--checkpoint", f"backbone={backbone}", "--checkpoint", self.file("decode_head"), "--checkpoint", self.file("depth_head")]
        key = "patch_embed1.norm.bias"
        for entry, more in ((["--entry", "backbone=ema"], 1), ([], 0)):
            model, notes = self.loaded("mtmi", *files, *entry)
            self.assertTrue(torch.equal(model.backbone.state_dict()[key], self.parts["backbone"][key] + more))
            self.assertEqual(notes, [] if entry else ["note: b.pth: weights taken from 'state_dict'; there are others under 'ema' (--entry chooses)"])
        self.assertEqual(self.refused(2, "mtmi", "--seed", "0", "--entry", "ema")[0], "--entry belongs to --checkpoint, found --seed")
        self.assertEqual(self.refused(2, "mtmi", "--checkpoint", "a.pth", "--entry", "backbone=ema")[0],
                         "--entry backbone=ema: expected --checkpoint backbone=FILE too, found none")  # fmt: skip


class SegmentationHeads(Case):
    def test_official_weights_folded_into_the_slim_head(self):
        file = self.save("seg.pth", {"state_dict": network("mtmi", "--part", "seg", "--seg-head", "official").state_dict()})
        maps = [torch.rand(1, c, 32 >> i, 32 >> i) for i, c in enumerate((32, 64, 160, 256))]
        official, _ = self.loaded("mtmi", "--part", "seg", "--seg-head", "official", "--checkpoint", f"decode_head={file}")
        folded, _ = self.loaded("mtmi", "--part", "seg", "--seg-head", "folded", "--checkpoint", f"decode_head={file}")
        with torch.no_grad():  # test_operators compares the function below with the official head
            self.assertTrue(torch.equal(folded(*maps), mtmi.slim_from_official(official.decode_head)(*maps)))
        code, lines = self.run_main("mtmi", "--part", "seg", "--seg-head", "folded", "--size", "64", "--checkpoint", f"decode_head={file}", "-o", str(self.output))
        self.assertEqual((code, lines), (0, []))
        self.assertNotIn("MatMul", {node.op_type for node in onnx.load(self.output).graph.node})
        self.assertEqual(self.refused(2, "mtmi", "--seed", "0", "--light", "--seg-head", "folded")[0],
                         "--light: expected weights that follow the seed rule, found --seg-head folded, which computes its own")  # fmt: skip
        for option, value in (("--seg-fusion", "concat"), ("--seg-resize", "nearest")):
            self.assertEqual(self.refused(2, "mtmi", "--seed", "0", "--seg-head", "folded", option, value)[0],
                             f"{option} {value}: expected --seg-head slim, found folded")  # fmt: skip

    def test_the_hint_names_the_options_that_decide(self):
        file = self.save("seg.pth", network("mtmi", "--part", "seg", "--seg-head", "official").state_dict())
        message, hint = self.refused(3, "mtmi", "--part", "seg", "--checkpoint", f"decode_head={file}")
        self.assertIn("expected the 12 keys of the network (proj1.weight, ", message)
        self.assertIn("found none of them, but 16: linear_c1.proj.weight, ", message)
        self.assertIn("(--seg-head, --seg-width, --seg-fusion)", hint)


class Config(Case):
    def config(self, text):
        path = self.folder / "config.json"
        path.write_bytes(text if isinstance(text, bytes) else text.encode())
        return str(path)

    def test_files_that_are_no_configuration(self):
        for file, phrase in ((self.folder / "nope.json", "No such file or directory"), (self.folder, "Is a directory")):
            message, hint = self.refused(3, "dab_detr_r50", "--seed", "0", "--config", str(file))
            self.assertEqual(message, f"{file}: expected the configuration of a checkpoint, found '{phrase}'")
            self.assertEqual(hint, "give the config.json that lies beside the checkpoint")

    def test_texts_that_are_no_configuration(self):
        for text, phrase in (('{"dilation": tr', "expected a JSON object, found something else (Expecting value: line 1 column 14 (char 13))"),
                             ("", "found something else"), ("[1]", "expected a JSON object, found list"), (b"\xff\xfe\x00", "found something else"),
                             ("[" * 100000, "found something else"), ('{"nheads": "8"}', 'nheads: expected a number from 1 to 4096, found "8"'),
                             ('{"nheads": 0}', "nheads: expected a number from 1 to 4096, found 0"),
                             ('{"nheads": true}', "nheads: expected a number from 1 to 4096, found true"),
                             ('{"pe_temperatureH": NaN}', "pe_temperatureH: expected a number from 0.001 to 1000000.0, found NaN"),
                             ('{"hidden_dim": 100}', "hidden_dim: expected a multiple of 4 and of nheads = 8, found 100"),
                             ('{"dilation": 1}', "dilation: expected true or false, found 1"),
                             ('{"transformer_activation": "gelu"}', 'transformer_activation: expected prelu or relu, found "gelu"')):  # fmt: skip
            with self.subTest(text[:40]):
                message, _ = self.refused(3, "dab_detr_r50", "--seed", "0", "--config", self.config(text))
                self.assertIn(phrase, message)
        message, _ = self.refused(3, "dab_detr_r50", "--seed", "0", "--aux", "--config", self.config('{"dec_layers": 3}'))
        self.assertIn("dec_layers: expected 6, which --aux has names for, found 3", message)

    def test_what_keys_do_not_tell_is_said(self):
        file = self.save("r50.pth", {"model": network("dab_detr_r50").state_dict()})
        model, notes = self.loaded("dab_detr_r50_dc5", "--checkpoint", file)
        self.assertEqual(notes, ["note: dab_detr_r50_dc5: keys do not tell its variants apart; exported dilated (DC5), temperature of the position "
                                 "encoding 10 x 10; --config states what the checkpoint has"])  # fmt: skip
        config = self.config(json.dumps({"dilation": True, "pe_temperatureH": 20, "pe_temperatureW": 20}))
        model, notes = self.loaded("dab_detr_r50_dc5", "--checkpoint", file, "--config", config)
        self.assertEqual((notes, model.config.height_temperature), ([], 20.0))
        _, notes = self.loaded("dab_detr_r50_dc5", "--checkpoint", file, "--config", self.config('{"dilation": false}'))
        self.assertEqual(notes, ["note: config.json: dilation is false, unlike the network named; the file counts"])


class Output(Case):
    def test_names_that_cannot_be_written_are_said_before_any_work(self):
        with mock.patch.object(export, "build", side_effect=AssertionError("worked first")):
            message, hint = self.refused(4, "yolov5n", "--seed", "0", output=self.folder)
            self.assertEqual((message, hint), (f"{self.folder}: expected to write the file, found 'Is a directory'", "name a file: -o FOLDER/net.onnx"))
            message, hint = self.refused(4, "yolov5n", "--seed", "0", output=self.folder / "no" / "net.onnx")
            self.assertTrue(message.endswith("found 'No such folder'"))
            self.assertEqual(hint, "choose a folder that exists")

    def test_what_is_read_is_not_written_over(self):
        file = self.save("net.pt", {})
        message, _ = self.refused(2, "yolov5n", "--checkpoint", file, output=self.folder / "." / "net.pt")
        self.assertEqual(message, f"--output {file}: expected another file than those that are read, found {file}")

    def test_a_full_disk(self):
        self.output.write_bytes(b"old")
        with mock.patch.object(os, "fsync", side_effect=OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))):
            message, hint = self.refused(4, "yolov5n", "--seed", "0", "--size", "32")
        self.assertRegex(message, r": expected to write [0-9,]+ bytes, found 'No space left on device'$")
        self.assertEqual(hint, "free some space or choose another disk; what was at this name is unchanged")
        self.assertEqual(self.output.read_bytes(), b"old")

    def test_a_limit_of_the_process(self):
        run = subprocess.run([sys.executable, "-m", "fovea_models.export", "yolov5n", "--seed", "0", "--size", "32", "-o", self.output], text=True,
                             capture_output=True, preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (1 << 20, 1 << 20)))  # fmt: skip
        self.assertEqual(run.returncode, 4, run.stderr)
        self.assertRegex(run.stderr, r"found 'File too large'\nhint: .*choose another disk\n$")
        self.assertEqual(list(self.folder.iterdir()), [])

    def test_too_little_memory(self):
        message, _ = self.refused(4, "yolov5n", "--seed", "0", "--size", "3200000")
        self.assertTrue(message.endswith("expected memory to trace yolov5n at 3200000 x 3200000, found too little"), message)

    def test_remarks_of_the_tracer_are_held_back_unless_it_fails(self):
        command = [sys.executable, "-m", "fovea_models.export", "dab_deformable_detr_r50", "--seed", "0", "--size", "64", "-o", self.output]
        run = subprocess.run(command, capture_output=True, text=True)
        self.assertEqual((run.returncode, run.stderr), (0, ""))
        script = "import os\nfrom fovea_models.report import quiet\nwith quiet():\n os.write(2, b'a remark')\n raise SystemExit(5)"
        run = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True)
        self.assertEqual((run.returncode, run.stderr), (5, "a remark"))

    def test_light_files(self):
        def light_main(arguments):
            with mock.patch.object(sys, "argv", ["light", *arguments]):
                return light.main()

        plain = self.folder / "plain.onnx"
        plain.write_bytes(b"no model")
        for code, arguments, phrases in (
            (3, [str(plain)], ["expected an ONNX file, found something else", "--light"]),
            (3, [str(self.folder / "none.onnx")], ["found 'No such file or directory'", "--light"]),
            (4, [str(FOLDER / "yolov5n.light.onnx"), "-o", str(self.folder)], ["found 'Is a directory'", "name a file"]),
        ):
            found, lines = self.run_main(*arguments, *([] if "-o" in arguments else ["-o", str(self.output)]), command=light_main)
            self.assertEqual((found, [line.split(": ")[0] for line in lines]), (code, ["error", "hint"]))
            for line, phrase in zip(lines, phrases):
                self.assertIn(phrase, line)


class Usage(Case):
    def test_an_error_is_a_line_and_a_hint(self):
        for options in (["yolov5n"], ["resnet", "--seed", "0"], ["yolov5n", "--seed", "x"], ["mtmi_b2", "--seed", "0", "--names", "official"],
                        ["mtmi", "--seed", "0", "--part", "seg", "--features"], ["yolov5n", "--seed", "0", "--names", "official"]):  # fmt: skip
            with self.subTest(options):
                self.refused(2, *options)


if __name__ == "__main__":
    unittest.main()
