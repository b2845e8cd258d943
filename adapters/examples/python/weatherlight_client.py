"""Tells a weatherlight supervisor, and waits until it is durable. Nothing but the standard library.

    python3 weatherlight_client.py SOCKET
"""
import json, socket, sys, uuid


class Weatherlight:
    def __init__(self, path, source):
        self.source, self.sent, self.answers = source, 0, {}
        self.socket = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.socket.connect(path)
        self.socket.sendall(b"weatherlight/1 json\n")
        self.lines = self.socket.makefile("r", encoding="utf-8")

    def tell(self, event, level="INFO", **attributes):
        """Sends one event and gives its number. Keep its bytes until they are answered: sent again, they are kept once."""
        level, texts = "TELEMETRY_LEVEL_" + level, {key: str(value) for key, value in attributes.items()}
        told = {"event_id": "1", "description": event, "level": level, "attributes": texts}
        packet = {"packet_id": str(uuid.uuid4()), "source_subsystem": self.source, "level": level, "events": [told]}
        self.socket.sendall(json.dumps(packet).encode() + b"\n")
        self.sent += 1
        return self.sent

    def wait(self, number):
        """Waits until that one is answered: an alarm does not wait for what was sent before it, so answers overtake."""
        while number not in self.answers:
            line = self.lines.readline()
            if not line:
                raise ConnectionError("the supervisor has gone: send again what was not answered")
            answer = json.loads(line)
            self.answers[answer.get("number")] = answer
        return self.answers.pop(number)


if __name__ == "__main__":
    supervisor = Weatherlight(sys.argv[1], "tolaria")
    numbers = [supervisor.tell("epoch", epoch=epoch, loss=1 / (epoch + 1)) for epoch in range(100)]
    alarm = supervisor.wait(supervisor.tell("loss.exploded", "CRITICAL", loss="nan"))
    kept = sum(supervisor.wait(number)["ok"] for number in numbers)
    print(f"the alarm is durable: {alarm['ok']}; so are {kept} of {len(numbers)} epochs")
