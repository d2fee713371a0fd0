#!/usr/bin/python3
"""Volumes of tasks: shared, from the host, read-only, and gone with the task."""

import os

import e2e


class Volumes(e2e.ClusterTest):

    def exit_code(self, *containers, name="main", **members):
        task = self.run_to_end(self.definition("volumes", *containers, **members))
        self.assertIn("exitCode", e2e.container(task, name), e2e.reasons(task))
        return e2e.container(task, name)["exitCode"]

    def test_two_containers_share_an_empty_folder(self):
        mount = [{"sourceVolume": "shared", "containerPath": "/shared"}]
        writer = self.shell("writer", "echo ahoy >/shared/word; exec sleep 1000", essential=False, mountPoints=mount)
        reader = self.shell("main", "until grep -q ahoy /shared/word; do sleep 0.1; done", mountPoints=mount)
        self.assertEqual(self.exit_code(writer, reader, volumes=[{"name": "shared"}]), 0)

    def test_a_folder_of_the_host(self):
        folder = f"{self.folder}/host-volume"
        os.makedirs(folder)
        with open(f"{folder}/in", "w", encoding="utf-8") as file:
            file.write("from the host")
        main = self.shell("main", "cp /data/in /data/out", mountPoints=[
            {"sourceVolume": "data", "containerPath": "/data"}])
        self.assertEqual(self.exit_code(main, volumes=[{"name": "data", "host": {"sourcePath": folder}}]), 0)
        with open(f"{folder}/out", encoding="utf-8") as file:
            self.assertEqual(file.read(), "from the host")

    def test_read_only_is_read_only(self):
        main = self.shell("main", "! touch /shared/x", mountPoints=[
            {"sourceVolume": "shared", "containerPath": "/shared", "readOnly": True}])
        self.assertEqual(self.exit_code(main, volumes=[{"name": "shared"}]), 0)

    def test_a_read_only_root_file_system(self):
        main = self.shell("main", "! touch /x && touch /tmp/x", readonlyRootFilesystem=True,
                          linuxParameters={"tmpfs": [{"containerPath": "/tmp", "size": 1}]})
        self.assertEqual(self.exit_code(main), 0)

    def test_a_tasks_own_volume_begins_empty_each_time(self):
        main = self.shell("main", 'test -z "$(ls /shared)" && touch /shared/x', mountPoints=[
            {"sourceVolume": "shared", "containerPath": "/shared"}])
        for _ in range(2):
            self.assertEqual(self.exit_code(main, volumes=[{"name": "shared"}]), 0)

    def test_a_volume_does_not_show_a_containers_files(self):
        """Names that users choose are apart by their kind: neither sees the other's folder."""
        mount = [{"sourceVolume": name, "containerPath": f"/{name}"} for name in ("hosts", "secrets", "image-volumes")]
        names = [{"name": one["sourceVolume"]} for one in mount]
        script = 'test -z "$(ls /hosts /secrets /image-volumes | grep -v :)" && grep -q localhost /etc/hosts'
        self.assertEqual(self.exit_code(self.shell("volumes", script, mountPoints=mount), name="volumes", volumes=names), 0)

    def test_a_container_may_be_called_as_a_file_of_its_cgroup(self):
        self.assertEqual(self.exit_code(self.shell("tasks", "exit 3"), name="tasks"), 3)


if __name__ == "__main__":
    e2e.main()
