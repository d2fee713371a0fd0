#!/usr/bin/python3
"""The host was restarted: what ran is over and says why, and nothing of it is left."""

import json

import e2e
import installed
from davitdev import host


def setUpModule():
    installed.wait_until_connected()


class AfterTheReboot(installed.InstalledTest):

    def wait_until_clean(self):
        try:
            e2e.wait_for("the host to be clean", lambda: not installed.leftovers(), 30)
        except e2e.Timeout:
            self.assertEqual(installed.leftovers(), [])

    def test_a_task_of_the_former_boot_is_stopped_and_says_why(self):
        with open(installed.TASK_OF_FIRST_BOOT, encoding="utf-8") as file:
            arn = json.load(file)
        task = self.ecs.wait_status(arn, "STOPPED")
        self.assertIn("the host was restarted", e2e.reasons(task))

    def test_nothing_of_the_former_boot_is_left(self):
        self.wait_until_clean()

    def test_both_services_came_by_themselves(self):
        for unit in installed.UNITS:
            self.assertEqual([installed.show(unit, name) for name in ("ActiveState", "NRestarts")], ["active", "0"], unit)
        self.assertEqual(len(self.ecs.instances()), 1)

    def test_a_new_task_runs_and_goes(self):
        arn, _ = self.idle()
        self.assertIn("davit0", host.links())
        self.stop(arn)
        self.wait_until_clean()


if __name__ == "__main__":
    installed.main()
