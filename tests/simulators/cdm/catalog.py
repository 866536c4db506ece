# SPDX-FileCopyrightText: 2026 Safeguarded Restore contributors
# SPDX-License-Identifier: Apache-2.0
"""Policies, the things they restore, and the copies there are of them (cdm §7)."""

from typing import Any

from .links import Links
from .model import Job, World
from .reply import not_found
from .sessions import ms

HOUR = 3600.0
SITE = {"id": "1000", "name": "Primary"}


class Catalog:
    """Answers about policies and copies for one caller."""

    def __init__(self, world: World, links: Links) -> None:
        self.world, self.links = world, links

    def policy(self, policy_id: str) -> dict[str, Any]:
        """The policy of a job; a job's own id isn't one."""
        job = next((j for j in self.world.jobs.values() if j.policy_id == policy_id), None)
        if job is None:
            raise not_found(f"Policy {policy_id}")
        return {
            "id": policy_id,
            "name": job.name,
            "description": job.description,
            "type": job.type,
            "subType": job.sub_type,
            "applicationType": "sql" if job.sub_type == "application" else None,
            "serviceId": job.service_id,
            "version": "2.0",
            "spec": self._spec(job),
            "script": None,
            "logicalDelete": False,
            "lastUpdated": ms(self.world.born),
            "creationTime": ms(self.world.born - 1000 * HOUR),
            "rbacPath": "root:0",
            "tenantId": 1000,
            "links": {"self": {"href": self.links.href(f"endeavour/policy/{policy_id}")}},
        }

    def _spec(self, job: Job) -> dict[str, Any]:
        if not job.is_restore:
            workflow = {"id": "15", "name": "Gold"}
            return {"source": [], "subpolicy": [], "storageworkflow": [workflow]}
        option: dict[str, Any] = {"autocleanup": True, "allowsessoverwrite": False}
        permanent = self.world.make_permanent(job)
        if permanent != "absent":
            option["makepermanent"] = "user" if permanent == "user" else "enabled"
        subpolicy = {
            "type": job.sub_policy_type,
            "name": "Restore to the clean room",
            "description": "",
            "source": {"copy": {"site": {"href": self._site(), "metadata": SITE}}},
            "destination": {"target": {"metadata": {"name": "cleanroom-host"}}},
            "option": option,
        }
        return {
            "source": [self._source(job, index) for index in range(len(self._sources(job)))],
            "subpolicy": [subpolicy],
            "notification": [],
        }

    def _site(self) -> str:
        return self.links.href("site/1000")

    def _sources(self, job: Job) -> list[dict[str, Any]]:
        named = job.sources if job.sources is not None else self.world.switches.sources
        usual = "SALES" if job.sub_type == "application" else "CLEANROOM_SRC"
        return [{"name": usual}] if named is None else named

    def _source(self, job: Job, index: int) -> dict[str, Any]:
        path, kind = self.source_path(job, index)
        given = self._sources(job)[index]
        version = given.get("version") or {"id": "latest", "name": "Use Latest"}
        return {
            "href": self.links.href(path, time="0"),
            "id": path.rpartition("/")[2],
            "include": given.get("include", True),
            "resourceType": kind,
            "metadata": {
                "id": path.rpartition("/")[2],
                "name": given["name"],
                "path": "Primary:1000/SQLPROD:1010",
            },
            "version": {
                "href": self.links.href(f"{path}/version/{version['id']}", time="0"),
                "metadata": version,
            },
        }

    def source_path(self, job: Job, index: int = 0) -> tuple[str, str]:
        """Where a source of a job lives below ``/api/``, and its resource type."""
        if job.sub_type == "application":
            return f"application/sql/instance/1010/database/{2201 + index}", "database"
        if job.sub_type == "vmware":
            return f"vsphere/1020/vm/{2301 + index}", "vm"
        return f"ibmsvc/1030/volume/{2401 + index}", "volume"

    def versions(self, path: str) -> list[tuple[dict[str, Any], str]]:
        """The copies of the source at ``path``, not in the order of their times, with their sites.

        By which site a copy can be asked for is known; that its record names it is not.
        """
        found = []
        for index, info in enumerate(self._copies(path)):
            shown = dict(info)
            copy_id, site = str(shown.pop("id", 3000 + index)), shown.pop("siteId", SITE["id"])
            link = self.links.href(f"{path}/version/{copy_id}")
            record = {"id": copy_id, "links": {"self": {"href": link}}, "protectionInfo": shown}
            found.append((record, str(site)))
        return found

    def _copies(self, path: str) -> list[dict[str, Any]]:
        for job in self.world.jobs.values():
            for index, source in enumerate(self._sources(job) if job.is_restore else ()):
                if self.source_path(job, index)[0] == path and "copies" in source:
                    return list(source["copies"])
        copies = self.world.switches.copies
        return self._usual_copies() if copies is None else copies

    def _usual_copies(self) -> list[dict[str, Any]]:
        times = [ms(self.world.born - hours * HOUR) for hours in (26, 2, 14)]
        shown: list[int | str] = [times[0], str(times[1]), times[2]]
        return [{"protectionTime": time, "policyName": "SafeguardedDaily"} for time in shown]

    def collection(self, path: str) -> dict[str, Any]:
        """A list of instances, databases, disks systems, volumes or SLA policies."""
        lists: dict[str, tuple[str, list[tuple[str, str, str | None]]]] = {
            "application/sql/instance": ("instances", [("1010", "SQLPROD", "database")]),
            "application/sql/instance/1010/database": ("databases", [("2201", "SALES", None)]),
            "ibmsvc": ("ibmsvcs", [("1030", "FS7300", "volume")]),
            "ibmsvc/1030/volume": ("volumes", [("2401", "CLEANROOM_SRC", None)]),
            "vsphere": ("vspheres", [("1020", "vcenter", "vm")]),
            "vsphere/1020/vm": ("vms", [("2301", "erp01", None)]),
            "spec/storageprofile": ("storageprofiles", [("15", "Gold", None)]),
        }
        if path not in lists:
            raise not_found(path)
        name, members = lists[path]
        records = [self._member(path, each_id, each, below) for each_id, each, below in members]
        return {name: records, "total": len(records), "links": {}}

    def _member(self, path: str, member: str, name: str, below: str | None) -> dict[str, Any]:
        own = f"{path}/{member}"
        links = {"self": {"href": self.links.href(own)}}
        if below:
            links[f"{below}s"] = {"href": self.links.href(f"{own}/{below}")}
        else:
            links["versions"] = {"href": self.links.href(f"{own}/version")}
        return {"id": member, "name": name, "links": links}
