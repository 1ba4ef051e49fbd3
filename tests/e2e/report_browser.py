#!/usr/bin/env python3
"""Opens a report in a headless Chromium and checks that it works: report_browser.py REPORT.html [--shots DIR].

It fails when the page says anything on the console, asks for anything but itself, leaves a chart undrawn, runs
a script that was planted in its data, or does not fit a narrow screen. It is driven over a pipe with the
DevTools protocol, so it needs no package.

Exit codes: 0 fine, 1 a check failed, 77 no Chromium here (a visible skip).
"""
# SPDX-License-Identifier: Apache-2.0

import argparse
import base64
import json
import os
import pathlib
import select
import shutil
import subprocess
import sys
import tempfile
import time

PROGRAMS = ("chromium", "chromium-browser", "google-chrome")
FLAGS = (
    "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--hide-scrollbars",
    "--disable-background-networking", "--disable-component-update", "--disable-sync", "--disable-dev-shm-usage",
    "--remote-debugging-pipe",
)
WAIT_SECONDS = 120
LATE_SECONDS = 30  # For the page to draw itself anew: on a busy machine it is late, not wrong.

# Brings every chart near the screen, since charts are drawn when they come near it.
SCROLL_THROUGH = """
(async () => {
  const pause = (ms) => new Promise((done) => setTimeout(done, ms));
  for (let y = 0; y < document.documentElement.scrollHeight; y += window.innerHeight) {
    window.scrollTo({top: y, behavior: 'instant'});
    await pause(60);
  }
  await pause(150);
  window.scrollTo({top: 0, behavior: 'instant'});
  await pause(60);
})()
"""

CHART_STATE = """
[...document.querySelectorAll('.chart')].map((host) => {
  const image = host.querySelector('svg, canvas');
  const box = image?.getBoundingClientRect();
  return {label: host.getAttribute('aria-label'), width: box?.width ?? 0, height: box?.height ?? 0,
          shapes: image?.querySelectorAll('path, rect, circle, text').length ?? 0};
})
"""


class Browser:
    """One Chromium with one page, spoken to over file descriptors 3 and 4."""

    def __init__(self, program):
        self.profile = tempfile.mkdtemp(prefix="deduplab-browser-")
        command_read, self.command_write = os.pipe()
        self.answer_read, answer_write = os.pipe()

        def keep_pipes():
            # Away from 3 and 4 first: one may be the number that the other needs.
            reading, writing = os.dup(command_read), os.dup(answer_write)
            high_reading, high_writing = os.dup2(reading, 40), os.dup2(writing, 41)
            os.dup2(high_reading, 3)
            os.dup2(high_writing, 4)

        self.process = subprocess.Popen(
            [program, *FLAGS, f"--user-data-dir={self.profile}", "about:blank"],
            stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
            close_fds=False, preexec_fn=keep_pipes)
        os.close(command_read)
        os.close(answer_write)
        self.buffer = b""
        self.events = []
        self.number = 0
        self.session = None
        target = self.call("Target.createTarget", url="about:blank")["targetId"]
        self.session = self.call("Target.attachToTarget", targetId=target, flatten=True)["sessionId"]
        for domain in ("Page", "Runtime", "Log", "Network"):
            self.call(f"{domain}.enable")

    def _message(self, deadline):
        while b"\0" not in self.buffer:
            left = deadline - time.monotonic()
            if left <= 0 or not select.select([self.answer_read], [], [], left)[0]:
                raise TimeoutError("the browser does not answer")
            piece = os.read(self.answer_read, 1 << 20)
            if not piece:
                raise ConnectionError("the browser has ended")
            self.buffer += piece
        message, self.buffer = self.buffer.split(b"\0", 1)
        return json.loads(message)

    def call(self, method, **parameters):
        self.number += 1
        request = {"id": self.number, "method": method, "params": parameters}
        if self.session:
            request["sessionId"] = self.session
        text = json.dumps(request).encode() + b"\0"
        while text:
            text = text[os.write(self.command_write, text):]
        deadline = time.monotonic() + WAIT_SECONDS
        while True:
            message = self._message(deadline)
            if message.get("id") == self.number:
                if "error" in message:
                    raise RuntimeError(f"{method}: {message['error']}")
                return message["result"]
            self.events.append(message)

    def value(self, expression):
        answer = self.call("Runtime.evaluate", expression=expression, awaitPromise=True, returnByValue=True)
        if "exceptionDetails" in answer:
            raise RuntimeError(answer["exceptionDetails"]["exception"].get("description", "exception"))
        return answer["result"].get("value")

    def wait_for(self, expression):
        deadline = time.monotonic() + WAIT_SECONDS
        while not self.value(expression):
            if time.monotonic() > deadline:
                raise TimeoutError(f"never true: {expression}")
            time.sleep(0.05)

    def show(self, width, height, scheme):
        self.call("Emulation.setDeviceMetricsOverride", width=width, height=height, deviceScaleFactor=1, mobile=False)
        self.call("Emulation.setEmulatedMedia", features=[{"name": "prefers-color-scheme", "value": scheme}])

    def shoot(self, path):
        size = self.call("Page.getLayoutMetrics")["cssContentSize"]
        clip = {"x": 0, "y": 0, "width": size["width"], "height": min(size["height"], 16000), "scale": 1}
        picture = self.call("Page.captureScreenshot", format="png", clip=clip, captureBeyondViewport=True)
        path.write_bytes(base64.b64decode(picture["data"]))

    def close(self):
        try:
            self.session = None
            self.call("Browser.close")
        except (OSError, RuntimeError):
            pass  # It ends before it has answered.
        try:
            self.process.wait(10)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        os.close(self.command_write)
        os.close(self.answer_read)
        shutil.rmtree(self.profile, ignore_errors=True)


def complaints(events, address):
    """What the page said on the console, and what it asked for beside itself."""
    found = []
    for event in events:
        method, params = event.get("method"), event.get("params", {})
        if method == "Runtime.exceptionThrown":
            details = params["exceptionDetails"]
            found.append("exception: " + details.get("exception", {}).get("description", details["text"]))
        elif method == "Runtime.consoleAPICalled" and params["type"] in ("error", "warning", "assert"):
            found.append("console: " + " ".join(str(a.get("value", a.get("description"))) for a in params["args"]))
        elif method == "Log.entryAdded" and params["entry"]["level"] in ("error", "warning"):
            found.append("log: " + params["entry"]["text"])
        elif method == "Network.requestWillBeSent":
            url = params["request"]["url"]
            if url != address and not url.startswith(("data:", "about:")):
                found.append("request: " + url)
    return found


def undrawn_charts(browser):
    browser.value(SCROLL_THROUGH)
    return [chart for chart in browser.value(CHART_STATE)
            if chart["width"] < 50 or chart["height"] < 20 or chart["shapes"] < 2]


def overflow(browser):
    """By how many pixels the page is wider than the screen."""
    return max(0, browser.value("document.documentElement.scrollWidth - document.documentElement.clientWidth"))


def what_stays(browser, faults):
    """The faults that are still found after LATE_SECONDS; nothing as soon as none is."""
    deadline = time.monotonic() + LATE_SECONDS
    while (found := faults(browser)) and time.monotonic() < deadline:
        time.sleep(0.2)
    return found


def check_charts(browser, what, failures):
    for chart in what_stays(browser, undrawn_charts):
        failures.append(f"{what}: chart not drawn: {chart}")


def check_look(browser, name, width, scheme, shots, failures):
    browser.show(width, 900, scheme)
    time.sleep(0.3)
    check_charts(browser, name, failures)
    if pixels := what_stays(browser, overflow):
        failures.append(f"{name}: the page is {pixels} px wider than the screen")
    if shots:
        browser.shoot(shots / f"{name}.png")


def luminance(browser):
    """Of the page's background, 0 dark to 1 light."""
    channels = browser.value(
        "getComputedStyle(document.body).backgroundColor.match(/[\\d.]+/g).slice(0, 3).map(Number)")
    return sum(channels) / 765


def check_choices(browser, failures):
    """Turns every choice once to its last value, and the page to the other theme and back."""
    browser.value("""
      for (const control of document.querySelectorAll('select')) {
        control.selectedIndex = control.options.length - 1;
        control.dispatchEvent(new Event('change'));
      }
      for (const group of document.querySelectorAll('.segments')) group.lastElementChild.click();
      document.querySelector('#nav button').click();
    """)
    check_charts(browser, "other choices", failures)
    browser.value("document.querySelector('#nav button').click()")


def check_report(browser, report, shots):
    failures = []
    address = report.resolve().as_uri()
    browser.show(1440, 900, "light")
    began = time.monotonic()
    browser.call("Page.navigate", url=address)
    try:
        browser.wait_for("document.readyState === 'complete' && document.documentElement?.dataset.ready === 'yes'")
    except TimeoutError as late:
        return [str(late), *complaints(browser.events, address)]
    seconds = time.monotonic() - began
    check_look(browser, "light", 1440, "light", shots, failures)
    light = luminance(browser)
    check_look(browser, "dark", 1440, "dark", shots, failures)
    dark = luminance(browser)
    if light < 0.8 or dark > 0.3:
        failures.append(f"light page has luminance {light:.2f}, dark page {dark:.2f}")
    check_look(browser, "narrow-dark", 420, "dark", shots, failures)
    check_look(browser, "narrow", 420, "light", shots, failures)
    browser.show(1440, 900, "light")
    check_choices(browser, failures)
    if browser.value("window.planted !== undefined"):
        failures.append("a script planted in the data has run")
    if browser.value("document.querySelectorAll('main img, main script, main iframe').length") > 0:
        failures.append("foreign text has become markup")
    pdf = browser.call("Page.printToPDF", printBackground=True)["data"]
    if shots:
        (shots / "print.pdf").write_bytes(base64.b64decode(pdf))
    charts = len(browser.value(CHART_STATE))
    failures += complaints(browser.events, address)
    print(f"{report.name}: {report.stat().st_size / 1e6:.2f} MB, ready after {seconds:.2f} s, {charts} charts")
    return failures


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("reports", nargs="+", type=pathlib.Path)
    parser.add_argument("--shots", type=pathlib.Path, help="folder for screenshots and the printed page")
    options = parser.parse_args()
    program = next((found for found in map(shutil.which, PROGRAMS) if found), None)
    if program is None:
        print("SKIPPED: no Chromium on the local machine, so the report was not looked at")
        return 77
    failed = False
    for report in options.reports:
        shots = options.shots / report.stem if options.shots else None
        if shots:
            shots.mkdir(parents=True, exist_ok=True)
        browser = Browser(program)
        try:
            failures = check_report(browser, report, shots)
        finally:
            browser.close()
        for failure in failures:
            print(f"FAILED {report.name}: {failure}", file=sys.stderr)
        failed = failed or bool(failures)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
