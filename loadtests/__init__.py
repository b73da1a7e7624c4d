"""The binding world in wall time: Locust users and the process stack they load."""
