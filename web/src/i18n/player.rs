//! Texts of the picture and its play head.

super::texts! {
    /// Charts, controls, keyboard help.
    Player {
        Play = "Play", "재생";
        Pause = "Pause", "일시 정지";
        Step = "Next change", "다음 변화";
        StepBack = "Previous change", "이전 변화";
        Rewind = "To the start", "처음으로";
        End = "To the end", "끝으로";
        Scrub = "Position in the run", "실행 안의 위치";
        Speed = "Speed", "속도";
        Nearer = "Zoom in", "확대";
        Farther = "Zoom out", "축소";
        Controls = "Player", "재생기";
        Picture = "What the machine does", "머신이 하는 일";
        TimeAxis = "Axis of time", "시간 축";
        Tenants = "Who is who", "누가 누구인지";
        Cores = "Cores: who runs where", "코어: 누가 어디서 실행되나";
        AsTable = "The cores as a table", "코어를 표로 보기";
        Core = "Core", "코어";
        Tenant = "Tenant", "테넌트";
        Thread = "Thread", "스레드";
        From = "From", "시작";
        To = "To", "끝";
        Length = "Length", "길이";
        Idle = "idle", "쉬는 중";
        Stopped = "stopped by its quota", "할당량을 다 써서 멈춤";
        NotRunning = "not on a core", "코어에 없음";
        Running = "running", "실행 중";
        Latency = "How long requests take", "요청이 걸리는 시간";
        Simulating = "Simulating…", "시뮬레이션 중…";
        SimulationRefused = "The simulator can't carry this out.", "시뮬레이터가 이 설정을 실행할 수 없어요.";
        SimulationBroken = "The simulation stopped unexpectedly.", "시뮬레이션이 예기치 않게 멈췄어요.";
        BrokenFix = "Change a value to try again; if it stays so, reload the page.",
            "값을 바꿔 다시 해 보세요. 계속되면 페이지를 새로 고치세요.";
        NoPicture = "No picture yet", "아직 그림이 없어요";
        Keyboard = "Keyboard", "키보드";
        KeyToggle = "play or pause", "재생 또는 일시 정지";
        KeyStep = "to the next or previous change that can be seen", "눈에 보이는 다음 또는 이전 변화로";
        KeyJump = "a tenth of the window forward or back", "화면 폭의 10분의 1만큼 앞뒤로";
        KeyPage = "a whole window forward or back", "화면 폭만큼 앞뒤로";
        KeyEnds = "to the start or the end", "처음 또는 끝으로";
        KeyZoom = "zoom in or out", "확대 또는 축소";
        KeySpace = "Space", "스페이스";
        KeysWhere = "These keys work while the focus is on the picture or its buttons.",
            "그림이나 그 버튼에 초점이 있을 때 작동해요.";
        PlayingHint = "Pause (space) and step (→) to see why each change happens.",
            "일시 정지(스페이스)하고 한 단계씩(→) 넘기면 변화마다 이유를 볼 수 있어요.";
        Simulated = "simulated", "시뮬레이션";
        Native = "native", "실제";
        GoalLine = "goal", "목표";
        SoFar = "so far", "지금까지";
        WholeRun = "whole run", "전체 실행";
        NoRequests = "No request has been answered in this run, so there is no latency to show. Give the server more CPU time or a longer run.",
            "이 실행에서는 끝난 요청이 없어서 보여 줄 지연 시간이 없어요. 서버에 CPU 시간을 더 주거나 더 길게 실행하세요.";
    }
}
