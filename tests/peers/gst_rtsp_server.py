#!/usr/bin/python3
"""RTSP cameras by GStreamer's RTSP server: a peer that shares nothing with Sinetti or its simulator.

    tests/peers/gst_rtsp_server.py --mount /till/main=till.264 [--mount ...] [--port 0] [--fps 15]
                                   [--user U --password-file F] [--exit-with-stdin]

Serves Annex-B files (.264, .265) over TCP and UDP, endlessly looped, without coding anything again. Presentation times are explicit:
those of FILE.pts where it exists (a line for each access unit in decode order: its place in presentation order), else one frame after
the other. Mounts are shared: all clients of one see the same stream, which begins with the first client. Prints `ready PORT` when listening; ends on
SIGTERM, SIGINT, or with --exit-with-stdin when standard input is closed.

Debian: gir1.2-gst-rtsp-server-1.0 gstreamer1.0-plugins-base gstreamer1.0-plugins-good gstreamer1.0-plugins-bad python3-gi
"""

import argparse
import os
import signal
import sys

import gi

for name in ("Gst", "GstApp", "GstRtsp", "GstRtspServer"):
    gi.require_version(name, "1.0")
from gi.repository import GLib, Gst, GstApp, GstRtsp, GstRtspServer  # noqa: E402,F401

START_CODE = b"\0\0\1"


def access_units(data, hevc):
    """The access units of an Annex-B file in decode order, each with start codes, without access unit delimiters."""
    units, current, has_slice = [], [], False
    at = data.find(START_CODE)
    while at >= 0:
        after = data.find(START_CODE, at + 3)
        nal = data[at + 3 : after if after >= 0 else len(data)].rstrip(b"\0")
        kind = (nal[0] >> 1) & 63 if hevc else nal[0] & 31
        is_slice = kind < 32 if hevc else 1 <= kind <= 5
        if is_slice:
            opens = nal[2 if hevc else 1] & 0x80 != 0
        elif hevc:
            opens = kind in (32, 33, 34, 35, 39)
        else:
            opens = kind in (6, 7, 8, 9)
        if has_slice and opens:
            units.append(b"".join(current))
            current, has_slice = [], False
        if kind != (35 if hevc else 9):
            current.append(b"\0" + START_CODE + nal)
        has_slice |= is_slice
        at = after
    if has_slice:
        units.append(b"".join(current))
    return units


class Footage:
    """A loop of access units with their presentation times."""

    def __init__(self, path, fps):
        self.hevc = path.endswith((".265", ".h265", ".hevc"))
        self.fps = fps
        with open(path, "rb") as file:
            self.units = access_units(file.read(), self.hevc)
        self.order = list(range(len(self.units)))
        if os.path.exists(path + ".pts"):
            with open(path + ".pts", encoding="ascii") as file:
                self.order = [int(line) for line in file]
        if not self.units or sorted(self.order) != list(range(len(self.units))):
            sys.exit(f"{path}: no access units, or the order beside it does not fit")
        # Decode times must not be later than presentation times: the first picture waits for the reordering.
        self.delay = max(at - place for at, place in enumerate(self.order))

    def buffer(self, number):
        """The buffer of an access unit, counted over all loops."""
        turn, at = divmod(number, len(self.units))
        buffer = Gst.Buffer.new_wrapped(self.units[at])
        place = turn * len(self.units) + self.order[at] + self.delay
        buffer.pts = place * Gst.SECOND // self.fps
        buffer.dts = number * Gst.SECOND // self.fps
        buffer.duration = Gst.SECOND // self.fps
        return buffer

    def launch(self):
        """Description of the pipeline."""
        codec = "h265" if self.hevc else "h264"
        caps = f"video/x-{codec},stream-format=byte-stream,alignment=au,framerate={self.fps}/1"
        return (
            f'( appsrc name=source is-live=true format=time do-timestamp=false max-bytes=1000000 caps="{caps}" '
            f"! {codec}parse config-interval=-1 ! rtp{codec}pay name=pay0 pt=96 )"
        )


class Factory(GstRtspServer.RTSPMediaFactory):
    """Makes the media of a mount."""

    def __init__(self, footage):
        super().__init__()
        self.footage = footage
        self.set_shared(True)

    def do_create_element(self, _url):
        """Called by GStreamer for the first client of a mount."""
        return Gst.parse_launch(self.footage.launch())

    # Overrides the virtual function; connecting the signal as well would push each access unit twice.
    def do_configure(self, media):
        """Called by GStreamer with the pipeline that was made."""
        media.set_reusable(False)
        source = media.get_element().get_by_name_recurse_up("source")
        number = 0

        def push(source, _length):
            nonlocal number
            source.emit("push-buffer", self.footage.buffer(number))
            number += 1

        source.connect("need-data", push)


def require_login(server, factories, user, password):
    """Digest authentication for all mounts."""
    for factory in factories:
        permissions = GstRtspServer.RTSPPermissions()
        for permission in ("media.factory.access", "media.factory.construct"):
            permissions.add_permission_for_role("user", permission, True)
        factory.set_permissions(permissions)
    auth = GstRtspServer.RTSPAuth()
    auth.set_supported_methods(GstRtsp.RTSPAuthMethod.DIGEST)
    token = GstRtspServer.RTSPToken()
    token.set_string("media.factory.role", "user")
    auth.add_digest(user, password, token)
    server.set_auth(auth)


def options():
    parser = argparse.ArgumentParser(description="RTSP cameras by GStreamer's RTSP server")
    parser.add_argument("--mount", action="append", required=True, metavar="PATH=FILE")
    parser.add_argument("--port", default="0", help="0 takes any free one")
    parser.add_argument("--fps", type=int, default=15)
    parser.add_argument("--user")
    parser.add_argument("--password-file")
    parser.add_argument("--exit-with-stdin", action="store_true")
    return parser.parse_args()


def main():
    wanted = options()
    Gst.init(None)
    server = GstRtspServer.RTSPServer()
    server.set_address("127.0.0.1")
    server.set_service(wanted.port)
    mounts, loaded, factories = server.get_mount_points(), {}, []
    for mount in wanted.mount:
        path, _, file = mount.partition("=")
        if file not in loaded:
            loaded[file] = Footage(file, wanted.fps)
        factories.append(Factory(loaded[file]))
        mounts.add_factory(path, factories[-1])
    if wanted.user:
        with open(wanted.password_file, encoding="utf-8") as file:
            require_login(server, factories, wanted.user, file.readline().rstrip("\n"))
    if server.attach(None) == 0:
        sys.exit(f"port {wanted.port} cannot be listened at")
    loop = GLib.MainLoop()
    for number in (signal.SIGTERM, signal.SIGINT):
        GLib.unix_signal_add(GLib.PRIORITY_DEFAULT, number, loop.quit)
    if wanted.exit_with_stdin:

        def read(descriptor, _condition):
            if os.read(descriptor, 4096):
                return True
            loop.quit()
            return False

        GLib.io_add_watch(0, GLib.IOCondition.IN | GLib.IOCondition.HUP, read)
    print("ready", server.get_bound_port(), flush=True)
    loop.run()


if __name__ == "__main__":
    main()
