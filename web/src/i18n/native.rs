//! Texts about a native run laid over the simulated one.

super::texts! {
    /// Drop, run, compare.
    Native {
        DropTitle = "Lay a native report over the simulation", "실제 실행 보고서를 시뮬레이션에 겹쳐 보기";
        DropHelp = "Drop the file here that `catamaran run … --json` wrote, or choose it.",
            "`catamaran run … --json`으로 만든 파일을 여기에 끌어다 놓거나 선택하세요.";
        Choose = "Choose a file", "파일 선택";
        Remove = "Take the report away", "보고서 치우기";
        DropBad = "This file can't be laid over the simulation.", "이 파일은 겹쳐 볼 수 없어요.";
        DropUnreadable = "The browser could not read the file.", "브라우저가 파일을 읽지 못했어요.";
        DropTooBig = "The file is larger than 64 MiB, which no report is.", "파일이 64 MiB보다 커요. 그런 보고서는 없어요.";
        DropNoNative = "The file holds simulated reports only. Give one that `catamaran run … --json` wrote.",
            "시뮬레이션 보고서만 들어 있어요. `catamaran run … --json`으로 만든 파일을 쓰세요.";
        DropEmpty = "The file holds no report.", "보고서가 들어 있지 않아요.";
        DigestDiffers = "The report was made from other settings than those shown, so the two can't be compared.",
            "보고서의 설정이 지금 화면의 설정과 달라서 비교할 수 없어요.";
        TryStart = "Show the lesson's own settings", "수업의 처음 설정으로 보기";
        TryShown = "Show the settings that belong to the report", "보고서에 맞는 설정으로 보기";
        PlatformDiffers = "The report is of another platform than the one shown.", "보고서의 플랫폼이 화면과 달라요.";
        ElsewhereFix = "Run the scenario that is shown (export it as TOML in the last beat), or open the link with which the report was made.",
            "지금 시나리오를 실행하거나(마지막 단계에서 TOML로 내려받기), 보고서를 만든 링크를 여세요.";
        Compared = "The model and the machine", "모델과 실제 머신";
        AcceleratorsDiffer = "The model is of guests under KVM; this machine emulated them (TCG). The difference below is that of emulation, not an error of either.",
            "모델은 KVM에서 도는 게스트이고, 이 컴퓨터는 게스트를 에뮬레이션(TCG)했어요. 아래의 차이는 에뮬레이션의 차이이지 어느 쪽의 오류가 아니에요.";
        Metric = "Figure", "지표";
        Model = "Simulated", "시뮬레이션";
        Machine = "Native", "실제";
        MachineOf = "Measured on", "측정한 컴퓨터";
        Seen = "What is seen", "보이는 것";
        What = "Who: what", "누가: 무엇을";
        NotLooked = "not looked at", "살펴보지 않음";
        RecordedTitle = "A recorded run", "기록해 둔 실제 실행";
        Platform = "Platform", "플랫폼";
        Version = "Carried out by", "실행한 프로그램";
        Start = "From the request to the program", "부탁에서 프로그램까지";
        RecordedShow = "Lay it over the simulation", "시뮬레이션에 겹쳐 보기";
        RunTitle = "Run it on this machine", "이 컴퓨터에서 실행하기";
        RunHelp = "This page is served by `catamaran serve`, so it can run exactly what is shown on this computer's kernel and lay the answer over the simulation.",
            "이 페이지는 `catamaran serve`로 열려 있어요. 그래서 화면의 시나리오를 이 컴퓨터의 커널에서 그대로 실행하고 결과를 겹쳐 볼 수 있어요.";
        RunStart = "Run it now", "지금 실행하기";
        RunCancel = "Cancel", "취소";
        RunStarting = "Starting…", "시작하는 중…";
        RunCancelled = "Cancelled; nothing is left behind.", "취소했어요. 남은 것은 없어요.";
        RunFailed = "The run failed:", "실행에 실패했어요:";
        RunNotHere = "This machine can't run that platform. `catamaran doctor` says why and how to change it.",
            "이 컴퓨터에서는 그 플랫폼을 실행할 수 없어요. 이유와 방법은 `catamaran doctor`가 알려 줘요.";
        ServeHint = "If you open this page with `catamaran serve`, a button here runs the scenario on your own machine.",
            "이 페이지를 `catamaran serve`로 열면, 여기에 내 컴퓨터에서 실행하는 버튼이 생겨요.";
        ServeGone = "`catamaran serve` does not answer. Start it again and open the address that it prints.",
            "`catamaran serve`가 응답하지 않아요. 다시 시작하고 출력된 주소를 여세요.";
        TokenRefused = "`catamaran serve` does not know this page's token (it was restarted). Open the address that it printed last.",
            "`catamaran serve`가 이 페이지의 토큰을 알지 못해요(다시 시작되었기 때문이에요). 마지막에 출력된 주소를 여세요.";
    }
}
